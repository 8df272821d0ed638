"""Opens settings and store for a command."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from router import bootstrap, logs
from router.config import Settings, load_settings
from router.errors import ConfigurationError
from router.store.engine import SqlStore
from router.store.migrate import check_tables

T = TypeVar("T")


def read_settings() -> Settings:
    """Load the settings of a command; log lines go to stderr."""
    settings = load_settings()
    logs.configure_logs(settings.log_level)
    return settings


@asynccontextmanager
async def ready_store(settings: Settings) -> AsyncIterator[SqlStore]:
    """Open the store. Raises `ConfigurationError` if its tables are of another version."""
    async with bootstrap.open_store(settings) as store:
        try:
            await check_tables(store)
        except ConfigurationError as error:
            raise ConfigurationError(f"{error.message} (home: {settings.home})") from error
        yield store


def with_store(work: Callable[[SqlStore], Awaitable[T]], settings: Settings | None = None) -> T:
    """Run `work` on the open store."""
    settings = settings or read_settings()

    async def run() -> T:
        async with ready_store(settings) as store:
            return await work(store)

    return asyncio.run(run())
