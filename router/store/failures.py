"""Turns what the database driver raises into errors of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from router.errors import DatabaseUnavailable, InvalidInput, TookTooLong

_PASSING = {"08", "40", "53", "55", "57"}  # PostgreSQL: connection lost, deadlock, too many, locked, shutting down
_CANCELLED = "57014"  # PostgreSQL: by statement_timeout
_DATA = "22"  # PostgreSQL: a text too long, a NUL in it


@asynccontextmanager
async def explained() -> AsyncIterator[None]:
    """Errors of the database as ours."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidInput(f"A text cannot be kept: {error}") from error
    except (OperationalError, PoolTimeout, OSError) as error:
        raise DatabaseUnavailable(f"The database does not answer: {_reason(error)}") from error
    except DBAPIError as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if state == _CANCELLED:
            raise TookTooLong from error
        if error.connection_invalidated or state[:2] in _PASSING:
            raise DatabaseUnavailable(f"The database does not answer: {_reason(error)}") from error
        if state[:2] == _DATA:
            raise InvalidInput(f"The database cannot keep this value: {_reason(error)}") from error
        raise


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]
