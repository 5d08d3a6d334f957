"""Settings are read from the environment, and what cannot be is said in one sentence."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from planner import config
from planner.config import BadSetting, Settings

SECRET = "x" * 40


def _read(folder: Path, **variables: str) -> Settings:
    environment = {f"PLANNER_{name}": value for name, value in variables.items()}
    return config.from_environment(environment, instance=folder)


def test_nothing_has_to_be_set(tmp_path: Path) -> None:
    found = _read(tmp_path)
    assert found == Settings(
        database_url=f"sqlite:///{tmp_path}/planner.sqlite3",
        secret_key=(tmp_path / "secret_key").read_text(),
        host="127.0.0.1",
        port=8000,
        workers=2,
        public_url="",
        trusted_proxies=0,
        idle_minutes=15,
        session_hours=12,
        log_level="info",
    )


def test_every_setting_is_in_the_table_that_the_readme_prints() -> None:
    assert {setting.field for setting in config.TABLE} == set(Settings.__dataclass_fields__)


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = _read(tmp_path).secret_key, _read(tmp_path).secret_key
    mode = stat.S_IMODE((tmp_path / "secret_key").stat().st_mode)
    assert (first == second, len(first) >= 43, mode) == (True, True, 0o600)


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: _read(tmp_path / "new").secret_key, range(16)))
    assert len(found) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]


def test_a_relative_database_is_the_same_file_for_every_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = _read(tmp_path, DATABASE_URL="sqlite:///here.sqlite3", SECRET_KEY=SECRET)
    assert found.database_url == f"sqlite:///{tmp_path}/here.sqlite3"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "eighty"),
        ("PORT", "-1"),
        ("PORT", "8e3"),
        ("PORT", "٨٠٠٠"),
        ("WORKERS", "0"),
        ("WORKERS", "1000"),
        ("IDLE_MINUTES", "0"),
        ("SESSION_HOURS", "1.5"),
        ("TRUSTED_PROXIES", "many"),
        ("SECRET_KEY", "short"),
        ("DATABASE_URL", "mysql://host/name"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "planner.sqlite3"),
        ("DATABASE_URL", "postgresql://host:port/name"),
        ("PUBLIC_URL", "planner.example.com"),
        ("PUBLIC_URL", "ftp://planner.example.com"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://planner.example.com/clinic"),
        ("PUBLIC_URL", "https://planner.example.com:x"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence_that_names_the_setting(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        _read(tmp_path, **{name: value})
    sentence = str(refused.value)
    assert (sentence.startswith(f"PLANNER_{name}"), sentence.endswith("."), "\n" in sentence) == (
        True, True, False,
    )  # fmt: skip


def test_no_refusal_repeats_a_secret(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as refused:
        _read(tmp_path, SECRET_KEY="hunter2")
    assert "hunter2" not in str(refused.value)


def test_an_empty_secret_file_is_not_taken_for_a_secret(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    with pytest.raises(BadSetting, match="remove it"):
        _read(tmp_path)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert _read(tmp_path, PORT="  ", SECRET_KEY=SECRET).port == 8000


def test_the_public_address_decides_on_https_and_is_what_people_are_told(tmp_path: Path) -> None:
    found = _read(tmp_path, PUBLIC_URL="https://planner.example.com:8443/", SECRET_KEY=SECRET)
    assert (found.is_https, found.public_host, found.address) == (
        True, "planner.example.com", "https://planner.example.com:8443",
    )  # fmt: skip
