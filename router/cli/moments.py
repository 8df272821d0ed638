"""Parses times from the command line."""

import re
from datetime import UTC, datetime, timedelta

import typer

from router.bootstrap import now

_AGO = re.compile(r"(\d{1,5})\s*([mhdw])")
_UNIT = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
FORMS = "2026-01-20, '2026-01-20 14:00', today, yesterday, or how long ago: 30m, 6h, 7d, 2w"


def parse_moment(text: str) -> datetime:
    """Parse a time; the local zone applies if it names none. See `FORMS`."""
    text = text.strip()
    midnight = now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if text in {"today", "yesterday"}:
        return (midnight - timedelta(days=text == "yesterday")).astimezone(UTC)
    if ago := _AGO.fullmatch(text):
        return now() - timedelta(**{_UNIT[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"'{text[:40]}' is not a time: use {FORMS}") from error
