"""Calendar files (RFC 5545) as every calendar reads them: events in, bytes out.

``events`` says what an event is, ``zones`` when the clocks of a zone change, ``files`` what a file
is. Nothing here reads a row or the clock, and no file depends on when it is asked for.
"""
