"""A real Tryton for tests: its own program `trytond` on SQLite, started from a template for each
test run.

The template (see `tests.support.tryton_template`) takes half a minute to make, so it is kept in
`.cache` until Tryton's version or the template's recipe changes; a lock lets two test processes
that want it at once make it once.
"""

import base64
import ctypes
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import httpx

from tests.support import tryton_template
from tests.support.tryton_template import DATABASE, FIELD

_CACHE = Path(__file__).parents[2] / ".cache"
_CONTEXT = {"company": 1, "companies": [1]}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrytonServer:
    """Where it listens, and the keys of its users by name."""

    url: str
    keys: dict[str, str]
    users: dict[str, "TrytonUser"]  # who work with this Tryton beside us


class TrytonUser:
    """Speaks Tryton's REST application without any code of ours."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "X-Tryton-Context": _packed(_CONTEXT)}
        base = f"{url}/{DATABASE}/rest/model/"
        self._client = httpx.Client(base_url=base, headers=headers, timeout=30, trust_env=False)

    def find(self, model: str, where: list[Any], *fields: str) -> list[dict[str, Any]]:
        """The rows that fit, the oldest first."""
        asked = [
            ("d", _packed(where)),
            ("o", _packed([["id", "ASC"]])),
            *(("f", name) for name in fields),
        ]
        return self._said(self._client.get(model, params=asked))

    def last(self, model: str) -> int:
        """The newest row's number; 0 where there is none."""
        newest = self._said(
            self._client.get(
                model, params=[("o", _packed([["id", "DESC"]])), ("s", "1"), ("f", "id")]
            )
        )
        return newest[0]["id"] if newest else 0

    def create(self, model: str, **values: Any) -> int:
        """A new row's number."""
        return int(self._said(self._client.post(model, json=values))["id"])

    def write(self, model: str, row: int, **values: Any) -> None:
        """Change a row."""
        self._said(self._client.put(f"{model}/{row}", json=values))

    def delete(self, model: str, row: int) -> None:
        """Delete a row."""
        answer = self._client.delete(f"{model}/{row}")
        assert answer.is_success, answer.text

    def press(self, model: str, row: int, button: str) -> None:
        """Press a button, e.g. `lost`."""
        self._said(self._client.post(f"{model}/{row}/{button}", json={}))

    def party(self, name: str, *phones: str, kind: str = "phone", **values: Any) -> int:
        """A party in Russia, where national spellings of phones are taken."""
        mechanisms = [{"type": kind, "value": phone} for phone in phones]
        made = {
            "addresses": [["create", [{"country": 1}]]],
            "contact_mechanisms": [["create", mechanisms]],
        }
        return self.create("party.party", name=name, **made, **values)

    def opportunity(
        self, party: int | None, description: str = "Incoming call", **values: Any
    ) -> int:
        """A lead or a deal."""
        return self.create("sale.opportunity", party=party, description=description, **values)

    def client_id(self, opportunity: int) -> str | None:
        """What is in the field of an opportunity."""
        (row,) = self.find("sale.opportunity", [["id", "=", opportunity]], FIELD)
        value: str | None = row[FIELD]
        return value

    def close(self) -> None:
        self._client.close()

    @staticmethod
    def _said(answer: httpx.Response) -> Any:
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return answer.json()


@contextmanager
def tryton_server(home: Path) -> Iterator[TrytonServer]:
    """A running Tryton in `home`, which is empty."""
    shutil.copytree(_template(), home, dirs_exist_ok=True)
    conf = tryton_template.configuration(home, home / "data")
    with socket.socket() as ear, (home / "log").open("wb") as log:
        ear.bind(("127.0.0.1", 0))
        ear.listen(64)  # who comes before Tryton is up waits here
        # Tryton's HTTP server is Werkzeug's, which takes over a socket this way: no port can be
        # lost to another.
        handed_over = {"WERKZEUG_RUN_MAIN": "true", "WERKZEUG_SERVER_FD": str(ear.fileno())}
        server = subprocess.Popen(
            [Path(sys.executable).with_name("trytond"), "-c", conf, "-d", DATABASE],
            env={**tryton_template.surroundings(home), **handed_over},
            pass_fds=[ear.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent,
        )
        url = "http://{}:{}".format(*ear.getsockname())
    try:
        keys = json.loads((home / "keys.json").read_text())
        users = {name: TrytonUser(url, key) for name, key in keys.items()}
        yield TrytonServer(url=url, keys=keys, users=users)
        for user in users.values():
            user.close()
    finally:
        server.terminate()
        server.wait(10)


def _template() -> Path:
    _CACHE.mkdir(exist_ok=True)
    home = _CACHE / f"tryton-{_recipe()}"
    with (_CACHE / "tryton.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            for old in _CACHE.glob("tryton-*"):
                shutil.rmtree(old)
            unfinished = _CACHE / f"tryton-unfinished-{os.getpid()}"
            unfinished.mkdir()
            tryton_template.build(unfinished)
            unfinished.rename(home)
    return home


def _recipe() -> str:
    """What the template is made of, in a few letters."""
    versions = sorted(
        f"{distribution.name} {distribution.version}"
        for distribution in distributions()
        if distribution.name.startswith("trytond")
    )
    recipe = "\n".join([sys.version, *versions, Path(tryton_template.__file__).read_text()])
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
