"""Filters and answers of HubSpot's searches and associations."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.hubspot.api import Record


def is_finished(record: Record, links: str, made: Sequence[Ref]) -> bool:
    """Whether its last association exists, so that no attempt was interrupted.

    A deal's contact is linked last. It has only a company if that was known and no contact was
    created.
    """
    last, _, instead = links.partition(",")
    if not last or last in record.linked:
        return True
    return instead in record.linked and all(ref.kind is not EntityKind.CONTACT for ref in made)


def every(linked: Mapping[str, Iterable[str]]) -> set[str]:
    """All linked ids."""
    return {key for keys in linked.values() for key in keys}


def a_filter(name: str, operator: str, value: str) -> dict[str, str]:
    """One condition of a search."""
    return {"propertyName": name, "operator": operator, "value": value}


def milliseconds(at: datetime) -> str:
    """A time in HubSpot's format."""
    return str(int(at.timestamp() * 1000))
