"""Moments as the databases compare them: SQLite has microseconds since 1970, PostgreSQL its own."""

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Interval,
    case,
    func,
    literal,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from router.domain.calls.hours import DAY, Hours, offsets

_HOUR = 3600


class SecondsOf(GenericFunction[int]):
    """The whole seconds of a moment since 1970."""

    type = BigInteger()
    name = "ringtrace_seconds"
    inherit_cache = True


@compiles(SecondsOf, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} / 1000000)"


@compiles(SecondsOf, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"CAST(floor(extract(epoch FROM {moment})) AS BIGINT)"


def plus(at: ColumnElement[Any], by: timedelta, dialect: str) -> ColumnElement[Any]:
    """The moment, so much later."""
    if dialect == "sqlite":
        return type_coerce(at, BigInteger) + by // timedelta(microseconds=1)
    return type_coerce(at, DateTime(timezone=True)) + literal(by, Interval)


def in_hours(at: ColumnElement[Any], hours: Hours) -> ColumnElement[bool]:
    """Whether a moment is in these hours of its day."""
    changes = offsets(hours.zone)
    ahead: ColumnElement[int] = literal(changes[-1][1], BigInteger)
    if len(changes) > 1:
        arms = [(at >= since, literal(seconds, BigInteger)) for since, seconds in changes[:-1]]
        ahead = case(*arms, else_=ahead)
    seconds: ColumnElement[int] = type_coerce(func.ringtrace_seconds(at), BigInteger)
    hour = (seconds + ahead) // _HOUR
    return (hour - hours.first + DAY * _HOUR) % DAY < hours.length
