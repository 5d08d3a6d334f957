"""What nobody should type, and somebody does."""

from __future__ import annotations

from collections.abc import Mapping

ELEMENT, ATTRIBUTE = "xss-probe", "onprobe"
"""What a browser must never find in a page: an element and an attribute that only a value names."""

SUM = "{{1234*4321}}${1234*4321}#{1234*4321}"
SUM_DONE = "5332114"

SCRIPTS: Mapping[str, str] = {
    "script": f"<{ELEMENT}>alert(1)</{ELEMENT}>",
    "attribute": f'" {ATTRIBUTE}="alert(1)" x="',
    "single quotes": f"' {ATTRIBUTE}='alert(1)' x='",
    "end of a text": f"</textarea></title></option><{ELEMENT}>",
    "javascript address": "javascript:alert(1)//",
}
SHORT_MARKUP = f"'\"><{ELEMENT} {ATTRIBUTE}=1>{{{{1234*4321}}}}"
SHORT_LINES = "x\r\nX-PROBE:1\u2028X-PROBE:2\nEND:VEVENT"
"""All of the kind at once, in as few letters as a short field takes."""

LINES: Mapping[str, str] = {
    "header line": "x\r\nX-Probe: 1\r\nSet-Cookie: probe=1",
    "calendar line": "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\nX-PROBE:1",
    "unicode lines": "x\u2028X-PROBE:1\u0085X-PROBE:1",
}
VALUES: Mapping[str, str] = {
    "nothing": "",
    "spaces": "  \t ",
    "date that does not exist": "2027-02-30",
    "month 13": "2027-13-01",
    "before all years": "0000-00-00",
    "year 1": "0001-01-01",
    "year 9999": "9999-12-31",
    "week date": "2027-W09-1",
    "hour that does not exist": "2027-03-14 02:30",
    "half past two": "02:30",
    "25 o'clock": "25:00",
    "long before": "1899-12-31",
    "an instant": "2027-03-14T02:30:00+99:99",
    "ten thousand letters": "x" * 10_000,
    "five hundred letters": "w" * 500,
    "one long word of wide letters": "𝔚" * 200,
    "nul": "a\0b",
    "control": "a\x07\x1b[31mb",
    "backspaces": "a\b\b\x7f",
    "right to left": "\u202eevil\u202d\u2066x\u2069",
    "emoji": "👩‍⚕️💉🏖️",
    "many accents": "a" + "\u0301" * 300,
    "zero width": "\u200b\ufeff\u2060",
    "no character": "\uffff\U0010ffff",
    "sql": "' OR 1=1 --",
    "sql drop": "Robert'); DROP TABLE patient; --",
    "sql like": "%_%\\",
    "template": SUM,
    "format": "%(name)s %s %n {0.__class__} {name}",
    "path": "../../../../etc/passwd",
    "windows path": "..\\..\\windows\\win.ini",
    "negative": "-1",
    "zero": "0",
    "huge": "99999999999999999999",
    "past 32 bits": "2147483648",
    "past 64 bits": "9223372036854775808",
    "five thousand digits": "001" + "9" * 5_000,
    "fraction": "1.5",
    "exponent": "1e9",
    "hex": "0x1F",
    "not a number": "NaN",
    "infinite": "-Infinity",
    "arabic digits": "٣٤",
    "superscript": "²",
    "underscored": "1_0",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "json": '{"$ne": null}',
    "list": "[1,2]",
    "true": "true",
    "null": "null",
    "elsewhere": "https://evil.example/",
    "elsewhere without scheme": "//evil.example/",
    "elsewhere backwards": "/\\evil.example",
    "id that does not exist": "999999",
    "key that does not exist": "AAAAAAAAAAAA",
    "pick of the last year": "1.1.1.99991231T2355Z",
    "pick of the first year": "1.1.1.00010101T0000Z",
    "pick in the spring gap": "1.2.2.20270314T0730Z",
    "pick of no room": "1.1.999999.20270308T1500Z",
    "choose of no sense": "order|1=1.1.1.00010101T0000Z|99=x|=|1",
    **SCRIPTS,
    **LINES,
}
RAW: Mapping[str, bytes] = {
    "lone surrogate": b"%ED%A0%80",
    "no utf-8": b"%FF%FE%C0%AF",
    "half a letter": b"%E2%82",
    "broken escape": b"%zz%",
}
UNKNOWN: tuple[tuple[str, str], ...] = (
    ("role", "manager"),
    ("is_active", ""),
    ("id", "1"),
    ("patient_id", "1"),
    ("version_id", "1"),
    ("user_id", "1"),
    ("status", "fulfilled"),
    ("merged_into_id", "1"),
    ("created_by", "1"),
    ("password_hash", "x"),
    ("__class__", "x"),
)
