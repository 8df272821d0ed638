"""What others wrote is a value of one line in the log, in whichever form."""

import pytest

from router.logs import printable


@pytest.mark.parametrize(
    ("written", "logged"),
    [
        ("Ivan", "Ivan"),
        ("Иван 📞", "Иван 📞"),
        ("a\nlevel=info forged", "a\\nlevel=info forged"),
        ("\x1b[2J\x9b31m\x07", "\\x1b[2J\\x9b31m\\x07"),
        ("\u202egnp.exe\u2028", "\\u202egnp.exe\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_is_not_printable_is_escaped(written: str, logged: str) -> None:
    assert printable(None, "info", {"event": "call", "name": written, "count": 1}) == {
        "event": "call",
        "name": logged,
        "count": 1,
    }
