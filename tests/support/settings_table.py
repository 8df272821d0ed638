"""Writes docs/settings.md from `router.config.Settings`: `python -m tests.support.settings_table`
(`make settings`).
"""

from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from router.config import OTHER_VARIABLES, Settings

PAGE = Path(__file__).parents[2] / "docs/settings.md"
UNITS = {"_ms": "ms", "_seconds": "s", "_days": "days", "_mb": "MB", "_port": "port"}
PORTS = ("rtp_start", "rtp_end")

HEAD = """# Settings

Each setting is an environment variable, or a line of `$RINGTRACE_HOME/ringtrace.toml` with its name in lower case
without the prefix (`web_port = 8080`). The environment takes precedence; an empty variable counts
as not set. An invalid value or an unknown `RINGTRACE_…` variable stops every command with an error that names it.
`make settings` writes this page from `router/config.py`.

| variable | default | unit or values | limits | meaning |
|---|---|---|---|---|
"""  # noqa: E501

OTHERS = {
    "RINGTRACE_CACHE": "where the embedded Asterisk is unpacked; `~/.cache/ringtrace`, "
    "for root `/var/cache/ringtrace`",
    "RINGTRACE_ASTERISK_PROGRAM": "program of the embedded Asterisk; default: `asterisk` "
    "on PATH, otherwise Debian's package",
    "RINGTRACE_ASTERISK_COMMAND": "program that opens the console of an external "
    "Asterisk; default: `asterisk` on PATH",
    "RINGTRACE_TRUNK_PASSWORD": "password for `ringtrace trunk add`; default: prompt",
}


def page() -> str:
    """The whole page."""
    rows = [_row(name, field) for name, field in Settings.model_fields.items()]
    others = [f"| `{name}` | {OTHERS[name]} |" for name in sorted(OTHER_VARIABLES)]
    also = (
        "\nRead from the environment only, by single commands:\n\n| variable | meaning "
        "|\n|---|---|\n"
    )
    return HEAD + "\n".join(rows) + "\n" + also + "\n".join(others) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    value = str(field.default).lower() if field.annotation is bool else field.default
    default = "" if value in ("", None) else f"`{value}`"
    meaning = (field.description or "").replace("|", "\\|")
    return (
        f"| `RINGTRACE_{name.upper()}` | {default} | {_unit(name, field)} | {_limits(field)} | "
        f"{meaning} |"
    )


def _unit(name: str, field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(field.annotation))
    if field.annotation is bool:
        return "`true`, `false`"
    if name in PORTS:
        return "port"
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


def _limits(field: FieldInfo) -> str:
    known = {
        key: getattr(limit, key)
        for limit in field.metadata
        for key in ("ge", "le")
        if hasattr(limit, key)
    }
    return (
        f"{known['ge']}–{known['le']}" if len(known) == 2 else f"≥ {known['ge']}" if known else ""
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
