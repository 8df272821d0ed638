"""How invented calls go: who answers after how long, who is held, transferred, missed."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.demo.month.cast import EMPLOYEES
from router.demo.month.rows import CallRows

_RINGS = (2.0, 22.0)  # seconds
_TALKS = ((12.0, 45.0), (40.0, 150.0), (120.0, 420.0))  # seconds: short, usual, long
_EXTENSIONS = {name: str(201 + place) for place, name in enumerate(EMPLOYEES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A phone held the caller."""

    channel: str
    at: datetime
    until: datetime


@dataclass(slots=True)
class Course:
    """A call as it goes: its rows so far, and what the CEL log does not say."""

    rows: CallRows
    holds: list[Held] = field(default_factory=list)
    talk_seconds: float = 0.0  # the length of a recording
    dies: bool = False  # Asterisk dies during the call

    @property
    def is_answered(self) -> bool:
        return self.talk_seconds > 0


def take_course(course: Course, chance: random.Random, *, is_open: bool, longest: float) -> None:
    """Let the call go on until its end; `longest` is the longest talk in seconds."""
    kinds = _OPEN if is_open else _CLOSED
    kind = chance.choices(list(kinds), weights=list(kinds.values()))[0]
    if kind in {"answered", "held", "transferred", "lost", "cut"}:
        _answer(course, kind, chance, longest)
    else:
        _miss(course.rows, kind, chance)


_OPEN = {
    "answered": 60,
    "held": 8,
    "transferred": 7,
    "lost": 1.5,
    "cut": 0.6,
    "no_answer": 7,
    "busy": 4,
    "refused": 2,
    "unreachable": 1,
    "hung_up_ringing": 6,
    "hung_up_early": 2,
    "hung_up_waiting": 2,
}
_CLOSED = {"no_answer": 60, "hung_up_ringing": 15, "hung_up_waiting": 25}


def answer(course: Course, chance: random.Random, longest: float) -> None:
    """A person answers and talks with the caller."""
    _answer(course, "answered", chance, longest)


def _answer(course: Course, kind: str, chance: random.Random, longest: float) -> None:
    rows, phone = course.rows, chance.choices(EMPLOYEES, weights=(4, 3, 2, 1.5))[0]
    rows.dials(phone).wait(chance.uniform(*_RINGS)).answers(phone)
    began = rows.at
    shortest, most = chance.choices(_TALKS, weights=(3, 5, 2))[0]
    rows.wait(min(chance.uniform(shortest, most), longest))

    if kind == "cut":
        course.dies = True
    elif kind in {"transferred", "lost"}:
        phone = _transfer(rows, phone, chance, is_lost=kind == "lost")
    elif kind == "held":
        _hold(course, rows.channel(phone), began)

    course.talk_seconds = (rows.at - began).total_seconds()
    if phone and not course.dies:
        rows.parts(phone).ends(phone).over("ANSWER", by_caller=chance.random() < 0.6)


def _hold(course: Course, channel: str, began: datetime) -> None:
    talked = course.rows.at - began
    held = Held(channel=channel, at=began + talked * 0.4, until=began + talked * 0.6)
    course.holds.append(held)


def _transfer(rows: CallRows, phone: str, chance: random.Random, *, is_lost: bool) -> str:
    """Transfer the caller; returns who talks with them then."""
    other = chance.choice([name for name in EMPLOYEES if name != phone])
    rows.transfers(phone, _EXTENSIONS[other]).dials(other, step="transfer")
    rows.wait(chance.uniform(4, 15))
    if is_lost:
        rows.ends(other).over("CANCEL", by_caller=True)
        return ""
    rows.answers(other, first=False).wait(chance.uniform(20, 60))
    return other


def _miss(rows: CallRows, kind: str, chance: random.Random) -> None:
    phone = chance.choice(EMPLOYEES)
    if kind == "hung_up_early":
        rows.wait(chance.uniform(0.5, 2)).over("CANCEL", rang=False, by_caller=True)
    elif kind == "hung_up_waiting":
        rows.announces().wait(chance.uniform(20, 70)).over("", rang=False, by_caller=True)
    elif kind == "hung_up_ringing":
        rows.dials(phone).wait(chance.uniform(3, 24)).ends(phone)
        rows.over("CANCEL", by_caller=True)
    else:
        seconds, leg, status, cause = _UNANSWERED[kind]
        rows.dials(phone).wait(seconds).ends(phone, leg).over(status, cause, by_caller=False)


_UNANSWERED = {  # kind: seconds, cause of the leg, what Dial said, cause of the call
    "no_answer": (30.0, 16, "NOANSWER", 19),
    "busy": (0.6, 17, "BUSY", 17),
    "refused": (4.0, 21, "BUSY", 21),
    "unreachable": (0.2, 20, "CHANUNAVAIL", 20),
}


def until(course: Course) -> datetime:
    """When the call ends; a little later where Asterisk dies."""
    return course.rows.at + timedelta(seconds=60 if course.dies else 0)
