"""Converts errors of the database driver. A broken database must never look like a bad value,
because calls would be rejected for it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg import PostgresError
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from router.errors import DatabaseUnavailable, InvalidInput, TookTooLong, WriteUndone

_CANCELLED = "57014"  # PostgreSQL: by statement_timeout
_DATA = "22"  # PostgreSQL: a text too long, a NUL in it
_UNDONE = "40"  # PostgreSQL: a deadlock, or two transactions that cannot be in any order
# PostgreSQL, whatever the statement says: connection lost, only reading (a standby), password, no
# such database, too many, locked, shutting down or starting, disk, damage; a table that is not
# there yet, or closed to us, while a backup is put back.
_ILL = ("08", "25", "28", "3D", "53", "55", "57", "58", "XX", "42501", "42P01", "0A000")
_NO_VALUE = "invalid input for query argument"  # asyncpg, before it asks
_DAMAGED = ("malformed", "not a database", "disk image")  # SQLite's


@asynccontextmanager
async def explained() -> AsyncIterator[None]:
    """Convert errors of the database."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidInput(f"A text cannot be stored: {error}") from error
    except (OperationalError, PoolTimeout, OSError) as error:
        raise DatabaseUnavailable(f"The database does not answer: {_reason(error)}") from error
    except IntegrityError:
        raise
    except DBAPIError as error:
        ours = _as_ours(error, error.orig)
        if ours is None:
            raise
        raise ours from error
    except PostgresError as error:  # at connecting, the driver's own error comes through
        ours = _as_ours(error, error)
        if ours is None:
            raise
        raise ours from error


def _as_ours(error: Exception, original: BaseException | None) -> Exception | None:
    """Our error; None for a bug, e.g. in a statement."""
    state = str(getattr(original, "sqlstate", None) or "")
    if state == _CANCELLED:
        return TookTooLong()
    if state.startswith(_UNDONE):
        return WriteUndone(f"The database rolled this back: {_reason(error)}")
    if state.startswith(_DATA) or _NO_VALUE in str(original):
        return InvalidInput(f"The database cannot store this value: {_reason(error)}")
    if state.startswith(_ILL) or (isinstance(error, DBAPIError) and _is_lost(error, state)):
        return DatabaseUnavailable(f"The database does not answer: {_reason(error)}")
    return None


def _is_lost(error: DBAPIError, state: str) -> bool:
    """Whether the connection is lost, or the file is damaged."""
    if error.connection_invalidated or (isinstance(error, InterfaceError) and not state):
        return True
    return type(error) is DatabaseError and any(word in str(error.orig) for word in _DAMAGED)


def _reason(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0][
        :200
    ]
