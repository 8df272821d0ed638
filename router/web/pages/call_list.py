"""The query of the calls page: read from its address, shown as chips, written into links."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from router.domain.calls.call_filter import CHOICES, FLAGS, RANGES, Among, Range
from router.domain.calls.call_order import OrderBy
from router.domain.calls.call_query import CallQuery
from router.domain.calls.columns import Column, Columns, written_columns
from router.domain.phone import display
from router.web import words
from router.web.filter_words import FILTERS, NO, NOT_SET, VALUES, YES
from router.web.formats import Formats
from router.web.labels import tag_named

LIST = "in"  # the parameter of a call's page that holds the list's query
_SORTED = {by.value: by for by in OrderBy}
_SECONDS = {"wait", "talk", "silence", "talk_over"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One filter in use: what it says, and the addresses without it and with its opposite."""

    name: str
    label: str
    value: str
    excluded: bool
    without: str
    opposite: str | None


def read_query(parameters: QueryParams) -> CallQuery:
    """The query in an address; tags may be written in any language of the pages."""
    query = CallQuery.read(parameters.multi_items())
    tags = query.filter.among("tag")
    if tags is None:
        return query
    names = tuple(tag_named(name) for name in tags.values)
    return query.with_filter("tag", Among(names, tags.excluded))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the list shows: a query and columns, and the view that they come from."""

    query: CallQuery
    columns: Columns
    view: str | None = None  # what addresses say: the open view's id, or `ALL` beside a default
    written: bool = False  # addresses name the columns

    def to(self, path: str, query: CallQuery | None = None, **more: Any) -> str:
        """`path` with this query or another one, and `more` beside it."""
        extra: dict[str, Any] = {"view": self.view}
        if self.written:
            extra["columns"] = written_columns(self.columns)
        pairs = [(name, str(value)) for name, value in (extra | more).items() if value is not None]
        written = urlencode([*(self.query if query is None else query).pairs(), *pairs])
        if not written:
            return path
        return f"{path}?{written}"

    def export(self, path: str) -> str:
        """The address of an export of just this."""
        return replace(self, view=None, written=True).to(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The heading of a column: the address that sorts by it, and how the list is sorted now."""

    column: Column
    address: str | None
    sorted: str | None = None  # as ARIA says it


def headings(shown: Shown) -> list[Heading]:
    """The headings of the list."""
    return [_heading(shown, column) for column in shown.columns]


def _heading(shown: Shown, column: Column) -> Heading:
    order, by = shown.query.order, _SORTED.get(column.value)
    if by is None:
        return Heading(column=column, address=None)
    is_sorted = ("ascending" if order.ascending else "descending") if order.by is by else None
    turned = shown.to("/calls", shown.query.with_order(order.turned(by)))
    return Heading(column=column, address=turned, sorted=is_sorted)


def list_query(shown: Shown) -> str:
    """The query of the list's address, for the pages of its calls."""
    return shown.to("/calls").partition("?")[2]


def call_address(call_id: str, within: str) -> str:
    """The page of a call that knows the query of the list it was opened from."""
    path = f"/calls/{quote(call_id, safe='')}"
    if not within:
        return path
    return f"{path}?{urlencode({LIST: within})}"


def chips(
    shown: Shown,
    speech: words.Speech,
    formats: Formats,
    names: Mapping[str, Mapping[str, str]],
    path: str = "/calls",
    **more: Any,
) -> Iterator[Chip]:
    """The filters in use; `names` has the names of sites and destinations by their ids. Their
    addresses are `path`, with `more` beside the filters.
    """
    gettext, query = speech.gettext, shown.query

    def to(name: str, value: Any) -> str:
        return shown.to(path, query.with_filter(name, value), **more)

    for name in CHOICES:
        if choice := query.filter.among(name):
            opposite = replace(choice, excluded=not choice.excluded)
            yield Chip(
                name=name,
                label=gettext(FILTERS[name]),
                value=", ".join(_shown(name, value, speech, names) for value in choice.values),
                excluded=choice.excluded,
                without=to(name, None),
                opposite=to(name, opposite),
            )
    for name, value in _simple(query, gettext, formats):
        flag = getattr(query.filter, name)
        yield Chip(
            name=name,
            label=gettext(FILTERS[name]),
            value=value,
            excluded=False,
            without=to(name, None),
            opposite=to(name, not flag) if name in FLAGS else None,
        )


def _simple(query: CallQuery, gettext: Any, formats: Formats) -> Iterator[tuple[str, str]]:
    """The filters of one value in use, and what they say."""
    for name in RANGES:
        limits: Range | None = getattr(query.filter, name)
        if limits:
            yield name, _shown_range(name, limits, formats)
    for name in FLAGS:
        flag: bool | None = getattr(query.filter, name)
        if flag is not None:
            yield name, gettext(YES if flag else NO)
    for name in ("keys", "entity"):
        if value := getattr(query.filter, name):
            yield name, value
    if hours := query.filter.hours:
        yield "hours", f"{hours.first}:00 – {hours.last}:00"


def _shown(
    name: str, value: str, speech: words.Speech, names: Mapping[str, Mapping[str, str]]
) -> str:
    """One value, as readers know it."""
    if not value:
        return speech.gettext(NOT_SET)
    if name in {"number", "caller"}:
        return display(value)
    known = VALUES.get(name, {}).get(value)
    if known:
        return speech.gettext(known)
    return names.get(name, {}).get(value, value)


def _shown_range(name: str, limits: Range, formats: Formats) -> str:
    def written(value: float | None) -> str:
        if value is None:
            return ""
        if name in _SECONDS:
            return formats.clock(value)
        if name == "probability":
            return f"{100 * value:g} %"
        return f"{value:g}"

    if limits.most is None:
        return f"≥ {written(limits.least)}"
    if limits.least is None:
        return f"≤ {written(limits.most)}"
    return f"{written(limits.least)} – {written(limits.most)}"
