"""Records by their ids."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class HasId(Protocol):
    """A record whose key is its id."""

    @property
    def id(self) -> str: ...


Record = TypeVar("Record", bound=HasId)


def ids_of(records: Iterable[HasId]) -> list[str]:
    """The ids of these records, in their order."""
    return [record.id for record in records]


def by_id(records: Iterable[Record]) -> dict[str, Record]:
    """These records by their ids."""
    return {record.id: record for record in records}
