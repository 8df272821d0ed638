"""A real BottleCRM for tests: `django-crm` with PostgreSQL, where it is installed.

It needs Python 3.12, which Debian 12 does not have, and its migrations take minutes. So it is
installed beside the project and its database is made once, both in `.cache` by `make bottlecrm`;
where they are not, these tests are skipped.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.postgres import Postgres

_CACHE = Path(__file__).parents[2] / ".cache"
_PYTHON = _CACHE / "bottlecrm/bin/python"
_TEMPLATE = _CACHE / "bottlecrm-database"
DATABASE, ROLE = "bottlecrm", "bottlecrm"
TABLES = (
    "lead, contacts, accounts, opportunity, task, interaction, comment, custom_field_definition"
)
# an organization in Russia, a token of its administrator, and two more users
_SEED = """
import django; django.setup()
import json
from django.contrib.auth import get_user_model
from django.db import connection
from common.models import Org, PersonalAccessToken, Profile, generate_pat_raw
org = Org.objects.create(name="Windows", default_country="RU")
with connection.cursor() as cursor:
    cursor.execute("select set_config('app.current_org', %s, false)", [str(org.id)])
users = {}
for name, active in {"ringtrace": True, "olga": True, "ivan": False}.items():
    user = get_user_model().objects.create(email=f"{name}@example.com", is_active=True)
    profile = Profile.objects.create(user=user, org=org, role="ADMIN", is_active=active)
    users[name] = profile
raw = generate_pat_raw()
PersonalAccessToken.objects.create(
    org=org, profile=users["ringtrace"], name="ringtrace", token_prefix=raw[:17],
    token_hash=PersonalAccessToken.hash_token(raw), scopes=[],
)
print(json.dumps({"token": raw, **{name: str(one.id) for name, one in users.items()}}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BottleServer:
    """Where it listens, a token of its administrator, the ids of its users, and its database."""

    url: str
    seeded: dict[str, str]
    postgres: Postgres

    def ask(self, method: str, path: str, **values: Any) -> dict[str, Any]:
        """A request of another program."""
        headers = {"Authorization": f"Bearer {self.seeded['token']}"}
        asked = {"headers": headers, "timeout": 60, "trust_env": False}
        answer = httpx.request(method, f"{self.url}/api/{path}/", json=values or None, **asked)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def sql(self, command: str) -> list[str]:
        """What the database says, without BottleCRM's help."""
        where = ("-h", str(self.postgres.home), "-U", "tests", "-d", DATABASE)
        asked = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", *where, "-c", command]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()


@contextmanager
def bottlecrm_server(home: Path) -> Iterator[BottleServer]:
    """A running BottleCRM in `home`, which is empty."""
    if not (_TEMPLATE / "seeded.json").exists():
        pytest.skip("django-crm is not installed: `make bottlecrm` does that, with Python 3.12")
    subprocess.run(["cp", "-a", f"{_TEMPLATE}/.", str(home)], check=True)
    postgres = Postgres(home)
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        ear.listen(64)
        url = "http://{}:{}".format(*ear.getsockname())
        program = ["-m", "uvicorn", "crm.asgi:application", "--fd", str(ear.fileno())]
        with (home / "server.log").open("wb") as log:
            server = subprocess.Popen(
                [_PYTHON, *program, "--log-level", "warning"],
                env=_surroundings(home),
                cwd=home,
                pass_fds=[ear.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
    try:
        _wait(url, server, home / "server.log")
        seeded = json.loads((home / "seeded.json").read_text())
        yield BottleServer(url=url, seeded=seeded, postgres=postgres)
    finally:
        server.terminate()
        server.wait(30)
        postgres.stop()


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """It loads for some seconds, in which the socket takes connections and answers none."""
    for _ in range(60):
        if server.poll() is not None:
            pytest.fail(log.read_text())
        try:
            httpx.get(f"{url}/healthz/", timeout=10, trust_env=False)
            return
        except httpx.HTTPError:
            time.sleep(0.5)
    pytest.fail(f"BottleCRM does not answer: {log.read_text()}")


def build() -> None:
    """A migrated and seeded database."""
    shutil.rmtree(_TEMPLATE, ignore_errors=True)
    _TEMPLATE.mkdir()
    postgres = Postgres(_TEMPLATE)
    try:
        # the role is no superuser, whom PostgreSQL would show the rows of all organizations
        postgres.execute(f"CREATE ROLE {ROLE} LOGIN")
        postgres.execute(f'CREATE DATABASE "{DATABASE}" OWNER {ROLE}')
        _run(_TEMPLATE, "-m", "django", "migrate", "--verbosity", "0")
        seeded = _run(_TEMPLATE, "-c", _SEED)
    finally:
        postgres.stop(tidily=True)
    (_TEMPLATE / "seeded.json").write_text(seeded.splitlines()[-1])


def _run(home: Path, *arguments: str) -> str:
    made = subprocess.run(
        [_PYTHON, *arguments],
        env=_surroundings(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


def _surroundings(home: Path) -> dict[str, str]:
    """The environment of `django-crm`."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": "not-a-secret" * 4,
        "DBHOST": str(home),
        "DBNAME": DATABASE,
        "DBUSER": ROLE,
        "CELERY_BROKER_URL": "memory://",
        "CELERY_RESULT_BACKEND": "cache+memory://",
    }


if __name__ == "__main__":
    build()
