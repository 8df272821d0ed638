"""Reads single facts out of CEL rows."""

from router.domain.calls.call import RoutedBy
from router.domain.calls.ledger import Row


def facts(row: Row) -> dict[str, str]:
    """What the dialplan wrote with CELGenUserEvent: `key=value&key=value`."""
    pairs = (part.partition("=") for part in str(row.extra.get("extra", "")).split("&"))
    return {name: value for name, _, value in pairs}


def event_name(row: Row) -> str:
    """The event's name, without the prefix of the dialplan's own events."""
    return row.event.removeprefix("RINGTRACE_").removeprefix("RT_")


def routed_by(by: str | None) -> RoutedBy | None:
    if by in set(RoutedBy):
        return RoutedBy(by)
    return None


def is_withheld(number: str, said: dict[str, str]) -> bool:
    return said.get("withheld") == "1" or number.lower() in {
        "",
        "anonymous",
        "unavailable",
        "restricted",
    }
