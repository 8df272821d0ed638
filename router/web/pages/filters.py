"""Filters of the calls page, parsed from and written into addresses."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Ending
from router.domain.calls.call_filter import CallFilter
from router.domain.phone import parse_number
from router.errors import InvalidInput
from router.web.labels import tag_named

Closed = TypeVar("Closed", bound=StrEnum)
LONGEST = 80  # characters of any one word


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filter form. Invalid values in an address are ignored, because addresses get shared."""

    since: date | None = None
    until: date | None = None  # the last day shown
    site: str | None = None
    verdict: Verdict | None = None
    ending: Ending | None = None
    number: str | None = None  # as typed
    text: str | None = None
    tag: str | None = None

    @classmethod
    def read(cls, query: QueryParams) -> "Filters":
        """The filters in an address."""
        words = {
            name: query.get(name, "").strip()[:LONGEST] or None
            for name in ("site", "number", "text", "tag")
        }
        return cls(
            since=_date(query.get("since")),
            until=_date(query.get("until")),
            verdict=_one_of(Verdict, query.get("verdict")),
            ending=_one_of(Ending, query.get("ending")),
            **words,
        )

    def wanted(self, zone: tzinfo) -> CallFilter:
        """The same for the store; days are the reader's."""
        return CallFilter(
            site_id=self.site,
            number=_number(self.number),
            verdict=self.verdict,
            ending=self.ending,
            tag=tag_named(self.tag) if self.tag else None,
            since=_midnight(self.since, zone),
            until=_midnight(self.until + timedelta(days=1), zone) if self.until else None,
            text=self.text,
        )

    def address(self, path: str, **more: Any) -> str:
        """`path` with these filters, and `more` beside them."""
        pairs = {field.name: getattr(self, field.name) for field in fields(self)} | more
        query = urlencode({name: str(value) for name, value in pairs.items() if value is not None})
        return f"{path}?{query}" if query else path

    def days(self, since: date | None, until: date | None) -> str:
        """The address of the list with other days."""
        return replace(self, since=since, until=until).address("/calls")

    @property
    def empty(self) -> bool:
        """Nothing is filtered."""
        return self == Filters()


def _one_of(kind: type[Closed], word: str | None) -> Closed | None:
    return kind(word) if word in list(kind) else None


def _date(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    return datetime.combine(day, time(), zone) if day else None


def _number(typed: str | None) -> str | None:
    try:
        return parse_number(typed) if typed else None
    except InvalidInput:
        return typed  # fits no call, as it should
