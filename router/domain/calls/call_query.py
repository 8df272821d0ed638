"""What a reader of the list of calls asks for, as an address says it: filters and a period.

The same words are kept by saved views and rules. `campaign=a&campaign=b` is one of both,
`not_ending=answered` is all but this one, `talk_from=60` and `talk_to=300` are seconds, `first=yes`
and `reviewed=no` are flags. `hour_from=22&hour_to=6` are hours of the reader's day, `sort=talk` and
`sort=talk.up` orders. `period=7d` moves with today; `since` and `until` stay.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Direction, Ending, State
from router.domain.calls.call_filter import CHOICES, FLAGS, RANGES, Among, CallFilter, Range
from router.domain.calls.call_order import NEWEST, CallOrder
from router.domain.calls.hours import DAY, Hours
from router.domain.phone import parse_number
from router.domain.text import storable
from router.errors import InvalidInput

LONGEST = 80  # characters of one value
MOST_VALUES = 20  # of one filter
PARAMETERS = {  # names in addresses, where they differ from the filter's
    "site_id": "site",
    "destination_id": "destination",
    "visitor_id": "visitor",
    "entity": "record",
}
_NOT = "not_"
_PERCENT = {"probability"}
_CLOSED: Mapping[str, type[StrEnum]] = {
    "ending": Ending,
    "verdict": Verdict,
    "state": State,
    "direction": Direction,
}
_PHONES = {"number", "caller"}
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}(?:\.\d{1,3})?)")
_KEYS = re.compile(r"[0-9*#A-D]{1,16}")
_FLAGS = {"yes": True, "no": False}


class Period(StrEnum):
    """A period that moves with the reader's day."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"

    def days(self, today: date) -> tuple[date, date]:
        """Its first and last day."""
        if self is Period.YESTERDAY:
            return today - timedelta(days=1), today - timedelta(days=1)
        back = {Period.TODAY: 0, Period.WEEK: 6, Period.MONTH: 29, Period.QUARTER: 89}[self]
        return today - timedelta(days=back), today


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQuery:
    """A filter whose days are the reader's."""

    filter: CallFilter = field(default_factory=CallFilter)  # without times
    period: Period | None = None
    since: date | None = None
    until: date | None = None  # the last day shown
    order: CallOrder = NEWEST

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str]]) -> "CallQuery":
        """The query in an address. Invalid values are ignored, because addresses get shared."""
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            if value := storable(value.strip()[:LONGEST]):
                values.setdefault(name, []).append(value)

        found: dict[str, Any] = {}
        for name in CHOICES:
            found[name] = _choice(name, values)
        for name in RANGES:
            found[name] = _range(name, values)
        for name in FLAGS:
            found[name] = _FLAGS.get(_first(values, name) or "")
        wanted = CallFilter(
            **found,
            keys=_keys(_first(values, "keys")),
            entity=_first(values, "record"),
            text=_first(values, "text"),
            hours=_hours(_first(values, "hour_from"), _first(values, "hour_to")),
        )

        period = _first(values, "period")
        since, until = _date(_first(values, "since")), _date(_first(values, "until"))
        order = CallOrder.read(_first(values, "sort"))
        if since or until or period not in list(Period):
            return cls(filter=wanted, since=since, until=until, order=order)
        return cls(filter=wanted, period=Period(period), order=order)

    def pairs(self) -> list[tuple[str, str]]:
        """The same for an address; `read` takes them back."""
        pairs: list[tuple[str, str]] = []
        if self.filter.text:
            pairs.append(("text", self.filter.text))
        for name in ("period", "since", "until"):
            value = getattr(self, name)
            if value is not None:
                pairs.append((name, str(value)))
        for name in CHOICES:
            pairs += _choice_pairs(name, self.filter.among(name))
        for name in RANGES:
            pairs += _range_pairs(name, getattr(self.filter, name))
        for name in FLAGS:
            flag = getattr(self.filter, name)
            if flag is not None:
                pairs.append((name, "yes" if flag else "no"))
        typed = (
            ("keys", self.filter.keys),
            ("record", self.filter.entity),
            ("sort", self.order.written()),
        )
        pairs += [(name, value) for name, value in typed if value]
        if hours := self.filter.hours:
            pairs += [("hour_from", str(hours.first)), ("hour_to", str(hours.last))]
        return pairs

    def wanted(self, zone: tzinfo, today: date) -> CallFilter:
        """The filter with its times; days are of `zone`."""
        since, until, hours = self.since, self.until, self.filter.hours
        if self.period:
            since, until = self.period.days(today)
        if hours:
            hours = replace(hours, zone=zone)

        begins, ends = _midnight(since, zone), None
        if until:
            ends = _midnight(until + timedelta(days=1), zone)
        return replace(self.filter, hours=hours, since=begins, until=ends)

    def with_filter(self, name: str, value: Any) -> "CallQuery":
        """The same with another value of one filter; None removes it."""
        return replace(self, filter=replace(self.filter, **{name: value}))

    def with_days(self, since: date | None, until: date | None) -> "CallQuery":
        """The same with fixed days."""
        return replace(self, period=None, since=since, until=until)

    def with_period(self, period: Period | None) -> "CallQuery":
        """The same with a period that moves with today; None is all times."""
        return replace(self, period=period, since=None, until=None)

    def with_order(self, order: CallOrder) -> "CallQuery":
        """The same calls in another order."""
        return replace(self, order=order)

    @property
    def is_empty(self) -> bool:
        """Nothing is filtered."""
        return self.with_order(NEWEST) == CallQuery()


def parameter_of(name: str) -> str:
    """What addresses call this filter."""
    return PARAMETERS.get(name, name)


def _first(values: Mapping[str, list[str]], name: str) -> str | None:
    if name in values:
        return values[name][0]
    return None


def _choice(name: str, values: Mapping[str, list[str]]) -> Among | None:
    for excluded, sign in ((False, ""), (True, _NOT)):
        typed = values.get(sign + parameter_of(name), [])[:MOST_VALUES]
        known = [value for text in typed if (value := _value(name, text)) is not None]
        if known:
            return Among(tuple(dict.fromkeys(known)), excluded)
    return None


def _choice_pairs(name: str, choice: Among | None) -> list[tuple[str, str]]:
    if choice is None:
        return []
    parameter = parameter_of(name)
    if choice.excluded:
        parameter = _NOT + parameter
    return [(parameter, value or "-") for value in choice.values]


def _value(name: str, text: str) -> str | None:
    """One value of a choice; a dash is the empty one."""
    if text == "-":
        return ""
    if name in _CLOSED:
        if text in list(_CLOSED[name]):
            return text
        return None
    if name in _PHONES:
        try:
            return parse_number(text)
        except InvalidInput:
            return text  # matches no call, as it should
    if name == "tag":
        return text.casefold()
    return text


def _keys(text: str | None) -> str | None:
    """Keys of a telephone, e.g. `*7`."""
    typed = (text or "").replace(" ", "").upper()
    if _KEYS.fullmatch(typed):
        return typed
    return None


def _range(name: str, values: Mapping[str, list[str]]) -> Range | None:
    least = _figure(name, _first(values, f"{name}_from"))
    most = _figure(name, _first(values, f"{name}_to"))
    if least is None and most is None:
        return None
    return Range(least, most)


def _figure(name: str, text: str | None) -> float | None:
    """`90`, `1:30` and percents of a probability."""
    found = _CLOCK.fullmatch(text or "")
    if found is None:
        return None
    figure = 60 * int(found[1] or 0) + float(found[2])
    if name in _PERCENT:
        return figure / 100
    return figure


def _range_pairs(name: str, limits: Range | None) -> list[tuple[str, str]]:
    if limits is None:
        return []
    pairs = []
    for end, value in (("from", limits.least), ("to", limits.most)):
        if value is None:
            continue
        if name in _PERCENT:
            value *= 100
        pairs.append((f"{name}_{end}", f"{value:g}"))
    return pairs


def _hours(first: str | None, last: str | None) -> Hours | None:
    """From a full hour to a full hour; one of both is enough."""
    if first is None and last is None:
        return None
    if first is None:
        first = "0"
    if last is None:
        last = "24"
    found = (first, last)
    if not all(text.isascii() and text.isdigit() and len(text) < 3 for text in found):
        return None
    begins, ends = (int(text) for text in found)
    if begins < DAY and 0 < ends <= DAY:
        return Hours(begins, ends)
    return None


def _date(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    if 2000 <= day.year <= 2200:
        return day
    return None


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day, time(), zone)
