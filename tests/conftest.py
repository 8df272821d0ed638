"""What many tests need: a real, empty, migrated database, on SQLite and on PostgreSQL."""

import asyncio
import gc
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from hypothesis import HealthCheck, settings

from router.logs import configure_logs
from router.receivers.registry import RECEIVER_KINDS
from router.service.admin import access
from router.store.engine import SqlStore
from router.store.migrate import migrate
from tests.support.postgres import Postgres

# what helpers say, too
pytest.register_assert_rewrite("tests.acceptance", "tests.integration", "tests.scenarios")
DATABASES = ("sqlite", "postgresql")
# How long an example takes, or its making, tells of the machine and not of us. In CI the examples
# are the same each time: a change is not refused for what another one did.
settings.register_profile(
    "ringtrace",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ringtrace")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is collected is garbage, and looking for it takes a third of the time. It stays
    to the end, so later looks leave it out.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL with the database `template`, migrated."""
    memory = "/dev/shm"
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    place = Path(memory if roomy else "/tmp")  # short: it holds a socket
    for old in place.glob("rtpg-*-*"):
        if not Path("/proc", old.name.split("-")[1]).exists():  # of a run that was killed
            shutil.rmtree(old, ignore_errors=True)
    home = Path(tempfile.mkdtemp(prefix=f"rtpg-{os.getpid()}-", dir=place))
    try:
        server = Postgres(home)
        try:
            server.create("template")
            asyncio.run(_migrated(server.url("template")))
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file."""
    path = tmp_path_factory.mktemp("template") / "ringtrace.db"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


async def _migrated(url: str) -> None:
    store = SqlStore(url)
    await migrate(store)
    await store.close()


@contextmanager
def _database(request: pytest.FixtureRequest, *, migrated: bool) -> Iterator[str]:
    """The URL of a database of this test alone."""
    if request.param == "sqlite":
        path: Path = request.getfixturevalue("tmp_path") / "ringtrace.db"
        if migrated:
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"test-{secrets.token_hex(6)}"
    server.create(name, "template" if migrated else "template0")
    try:
        yield server.url(name)
    finally:
        server.drop(name)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty, migrated database."""
    with _database(request, migrated=True) as url:
        yield url


@pytest.fixture(params=DATABASES)
def bare_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without a single table."""
    with _database(request, migrated=False) as url:
        yield url


@pytest_asyncio.fixture
async def store(database: str) -> AsyncIterator[SqlStore]:
    """The store, on SQLite and on PostgreSQL."""
    opened = SqlStore(database, receiver_kinds=RECEIVER_KINDS)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def other_store(database: str) -> AsyncIterator[SqlStore]:
    """The same database, opened once more as another process would."""
    opened = SqlStore(database, receiver_kinds=RECEIVER_KINDS)
    yield opened
    await opened.close()


@pytest.fixture(scope="session", autouse=True)
def hasher_of_the_product() -> PasswordHasher:
    """What makes guessing a password expensive. In tests, which log in a thousand times, the
    cheapest one takes its place.
    """
    of_the_product = access._hasher
    access._hasher = PasswordHasher.from_parameters(CHEAPEST)
    return of_the_product


@pytest.fixture(autouse=True)
def logs_as_in_a_part() -> Iterator[None]:
    """As every part writes them: structlog's own defaults draw each traceback with its variables,
    for half a second.
    """
    configure_logs("debug")
    yield
    # a command run in this process sends logs to a stderr that is closed with its test
    structlog.reset_defaults()
