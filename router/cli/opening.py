"""Opens what a command works on: the settings, and a store that is ready for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from router import bootstrap
from router.config import Settings, load_settings
from router.errors import ConfigurationError
from router.store.engine import SqlStore
from router.store.migrate import is_current

T = TypeVar("T")


def read_settings() -> Settings:
    """The settings of a command; its log lines go to stderr."""
    settings = load_settings()
    bootstrap.configure_logs(settings.log_level)
    return settings


@asynccontextmanager
async def ready_store(settings: Settings) -> AsyncIterator[SqlStore]:
    """The store. Raises `ConfigurationError` when nobody has prepared it for this version."""
    async with bootstrap.open_store(settings) as store:
        if not await is_current(store):
            raise ConfigurationError(
                f"The database of {settings.home} is not there, or not of this version: "
                "run `ringtrace prepare` (or `make run`) first."
            )
        yield store


def with_store(work: Callable[[SqlStore], Awaitable[T]], settings: Settings | None = None) -> T:
    """Do `work` on the ready store."""
    settings = settings or read_settings()

    async def run() -> T:
        async with ready_store(settings) as store:
            return await work(store)

    return asyncio.run(run())
