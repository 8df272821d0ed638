"""The table of keys and the dialog that names the commands are one list in two files."""

import re
from collections import Counter
from pathlib import Path

WEB = Path(__file__).parents[2] / "router/web"
TABLE = (WEB / "frontend/src/keys.ts").read_text(encoding="utf-8")
DIALOG = (WEB / "templates/keys.html").read_text(encoding="utf-8")
ROW = re.compile(r'\{ command: "([a-z0-9-]+)", keys: \[(.+?)\](, shift: true)?')


def test_the_dialog_names_every_command_in_the_order_of_the_table() -> None:
    commands = [command for command, _, _ in ROW.findall(TABLE)]
    assert commands == re.findall(r'\("([a-z0-9-]+)", _\(', DIALOG)


def test_no_key_has_two_commands() -> None:
    keys = [
        (key.lower(), bool(shift))
        for _, listed, shift in ROW.findall(TABLE)
        for key in re.findall(r'"(.)"|"(\w{2,})"', listed)
        for key in ("".join(key),)
    ]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
