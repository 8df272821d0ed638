"""A real PostgreSQL for tests: Debian's programs, a directory of its own, a UNIX socket, no
port.
"""

import asyncio
import ctypes
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest


class Postgres:
    """A PostgreSQL of Debian's packages in a directory of its own, on a UNIX socket; it dies with
    this process.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            pytest.fail("PostgreSQL's programs are missing: apt install postgresql")
        self._bin = found[-1].parent
        # PostgreSQL refuses to run as root.
        self._user: dict[str, Any] = (
            {"user": "postgres", "group": "postgres", "extra_groups": ()}
            if os.getuid() == 0
            else {}
        )
        home.chmod(0o777)
        if not (home / "data").exists():
            options = ("-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            self._run("initdb", "-D", f"{home}/data", *options)
        self._server = self._spawn()
        try:
            asyncio.run(self._wait())
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._server.pid

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://tests@/{database}?host={self.home}"

    def create(self, database: str, template: str = "template0") -> None:
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')

    def drop(self, database: str) -> None:
        self.execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    async def has(self, database: str) -> bool:
        """Whether there is this database."""
        return bool(await self._admin("SELECT 1 FROM pg_database WHERE datname = $1", database))

    async def drop_if_there(self, database: str) -> None:
        """Drop it, if there is one."""
        await self._admin(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    async def rename(self, database: str, name: str) -> None:
        """Give it another name."""
        await self._admin(f'ALTER DATABASE "{database}" RENAME TO "{name}"')

    async def start(self) -> None:
        """Start again after `stop`."""
        self._server = self._spawn()
        await self._wait()

    def stop(self, *, tidily: bool = False) -> None:
        """End at once, every connection breaks; `tidily` keeps all that was written for a later
        start.
        """
        self._server.send_signal(signal.SIGINT if tidily else signal.SIGQUIT)
        self._server.wait()

    def execute(self, command: str) -> None:
        """One command of an administrator."""
        asyncio.run(self._admin(command))

    async def _admin(self, command: str, *values: object) -> list[Any]:
        connection = await asyncpg.connect(host=str(self.home), user="tests", database="postgres")
        try:
            if values:
                return list(await connection.fetch(command, *values))
            await connection.execute(command)
            return []
        finally:
            await connection.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = ("-D", f"{self.home}/data", "-k", str(self.home), "-F", "-c", "listen_addresses=")
        log = (self.home / "log").open("ab")
        server = subprocess.Popen(
            [
                self._bin / "postgres",
                *options,
                "-c",
                "full_page_writes=off",
                "-c",
                "dynamic_shared_memory_type=mmap",
            ],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=self.home,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            **self._user,
        )
        log.close()
        return server

    async def _wait(self) -> None:
        async with asyncio.timeout(180):
            while self._server.poll() is None:
                try:
                    await self._admin("SELECT 1")
                    return
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(0.02)
        pytest.fail((self.home / "log").read_text())

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.home,
            **self._user,
        )


_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _libc.prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG; SIGQUIT is PostgreSQL's immediate shutdown
