"""A table of calls: its titles and cells, as a reader's language and time zone have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Direction, Ending, State
from router.domain.calls.columns import Column, Columns
from router.service.calls.browse import CallLine

Cell = str | int | float | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetWords:
    """Words of one language for the cells of a table."""

    titles: Mapping[Column, str]
    endings: Mapping[Ending, str]
    states: Mapping[State, str]
    directions: Mapping[Direction, str]
    verdicts: Mapping[Verdict, str]
    tags: Mapping[str, str]  # of tags that rules set
    yes: str
    no: str
    anonymous: str
    direct: str
    separator: str  # between the cells of a CSV file, as spreadsheets of this language expect


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The columns of a table of calls."""

    columns: Columns
    words: SheetWords
    zone: tzinfo
    sites: Mapping[str, str] = field(default_factory=dict)  # names by id
    destinations: Mapping[str, str] = field(default_factory=dict)

    def titles(self) -> list[str]:
        """The first row; the time names its zone."""
        titles = []
        for column in self.columns:
            title = self.words.titles[column]
            if column is Column.TIME:
                title += f" ({self.zone})"
            titles.append(title)
        return titles

    def row(self, line: CallLine) -> list[Cell]:
        """The cells of a call."""
        return [_CELLS[column](self, line) for column in self.columns]


def _time(sheet: Sheet, line: CallLine) -> Cell:
    return line.call.arrived_at.astimezone(sheet.zone).replace(microsecond=0, tzinfo=None)


def _caller(sheet: Sheet, line: CallLine) -> Cell:
    call = line.call
    number = call.caller or call.caller_raw or sheet.words.anonymous
    if call.caller_name:
        return f"{number} {call.caller_name}"
    return number


def _source(sheet: Sheet, line: CallLine) -> Cell:
    visit, call = line.visit, line.call
    if visit is None:
        return call.channel or call.source
    name = visit.source or visit.campaign
    if name is None:
        return visit.referrer or sheet.words.direct
    if visit.medium:
        return f"{name} / {visit.medium}"
    return name


def _ending(sheet: Sheet, line: CallLine) -> Cell:
    call = line.call
    if call.ending:
        return sheet.words.endings[call.ending]
    return sheet.words.states[call.state]


def _tags(sheet: Sheet, line: CallLine) -> Cell:
    return ", ".join(sheet.words.tags.get(tag.name, tag.name) for tag in line.tags)


def _verdict(sheet: Sheet, line: CallLine) -> Cell:
    verdict = line.call.verdict
    if not verdict:
        return None
    return sheet.words.verdicts[verdict]


def _flag(sheet: Sheet, value: bool) -> Cell:
    if value:
        return sheet.words.yes
    return sheet.words.no


def _whole(value: float | None) -> Cell:
    if value is None:
        return None
    return round(value)


def _percent(value: float | None) -> Cell:
    if value is None:
        return None
    return round(100 * value)


def _of_visit(name: str) -> Callable[[Sheet, CallLine], Cell]:
    def cell(_sheet: Sheet, line: CallLine) -> Cell:
        if line.visit is None:
            return None
        value: Any = getattr(line.visit, name)
        if isinstance(value, str):
            return value
        return None

    return cell


_CELLS: Mapping[Column, Callable[[Sheet, CallLine], Cell]] = {
    Column.TIME: _time,
    Column.CALLER: _caller,
    Column.NUMBER: lambda _, line: line.call.number or line.call.did,
    Column.SOURCE: _source,
    Column.VERDICT: _verdict,
    Column.ENDING: _ending,
    Column.WAIT: lambda _, line: _whole(line.call.wait_seconds),
    Column.TALK: lambda _, line: _whole(line.call.talk_seconds),
    Column.TAGS: _tags,
    Column.SITE: lambda sheet, line: sheet.sites.get(
        line.call.site_id or "", line.call.site_id or ""
    ),
    Column.CAMPAIGN: _of_visit("campaign"),
    Column.TERM: _of_visit("term"),
    Column.CHANNEL: lambda _, line: (line.visit and line.visit.channel) or line.call.channel,
    Column.DESTINATION: lambda sheet, line: sheet.destinations.get(
        line.call.destination_id or "", line.call.destination_id or ""
    ),
    Column.EMPLOYEE: lambda _, line: line.call.last_answered_by or line.call.answered_by,
    Column.PROBABILITY: lambda _, line: _percent(line.call.probability),
    Column.SCORE: lambda _, line: _whole(line.facets.score),
    Column.FIRST: lambda sheet, line: _flag(sheet, line.facets.first),
    Column.REVIEWED: lambda sheet, line: _flag(sheet, line.facets.reviewed),
    Column.TARGET: lambda sheet, line: _flag(sheet, line.facets.target),
    Column.SPAM: lambda sheet, line: _flag(sheet, line.facets.spam),
    Column.SILENCE: lambda _, line: _whole(line.facets.silence),
    Column.TALK_OVER: lambda _, line: _whole(line.facets.talk_over),
    Column.HOLD: lambda _, line: _whole(line.call.hold_seconds),
    Column.DIRECTION: lambda sheet, line: sheet.words.directions[line.call.direction],
    Column.ID: lambda _, line: line.call.id,
}
