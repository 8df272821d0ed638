"""`ringtrace crm connect --app`: a person allows an OAuth app on a page of the CRM.

The CRM sends the browser back to the web part, which keeps the code for this command; or the person
pastes the address where the browser ended, or the code alone.
"""

import asyncio
import json
import select
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import parse_qs, urlsplit

import typer

from router.bootstrap import now
from router.cli.crm_account import kind_of, on_terminal, read_content
from router.cli.output import note
from router.config import Settings
from router.domain.delivery.connection import Connection
from router.domain.paths import OAUTH_CALLBACK
from router.domain.text import one_line
from router.errors import InvalidInput
from router.receivers.http import HttpClient
from router.receivers.network import network_of
from router.receivers.oauth import OAuth, ask, issued, page_to_open
from router.secrets import begin_login, end_login, read_login

_CLIENT = ("client_id", "client_secret", "redirect_uri")
_LOOK = 0.5  # seconds between two looks
_MOST_MINUTES = 15  # to log in there; codes of CRMs do not live longer
_MOST_CODE = 5000  # characters


def log_in(
    settings: Settings, connection: Connection, old: Mapping[str, str], file: str | None
) -> dict[str, str]:
    """The token of an app that a person has just allowed. Raises `InvalidInput` and
    `ReceiverUnavailable`.
    """
    kind = kind_of(connection.kind)
    if kind.oauth is None or kind.oauth.authorize is None:
        raise InvalidInput(f"{kind.title} has no OAuth apps: connect without --app")
    client = _client(settings, old, file)
    state = token_urlsafe(24)
    begin_login(settings.home, state)
    try:
        page = page_to_open(kind.oauth, connection, client, state)
        note(f"Open this address and allow the app:\n{page}")
        note(
            f"The CRM then opens {client['redirect_uri']}. If your browser cannot reach that page, "
            "paste the whole address from its address bar here, or the code alone."
        )
        code = _arrived(settings.home, state)
    finally:
        end_login(settings.home, state)
    return asyncio.run(_exchanged(settings, kind.oauth, connection, client, code))


def _client(settings: Settings, old: Mapping[str, str], file: str | None) -> dict[str, str]:
    """The app: from a file, as it is known, or prompted for."""
    given = {name: old[name] for name in _CLIENT if name in old}
    if file is not None:
        given |= _parsed(read_content(file))
    for name, meaning in {"client_id": "client ID", "client_secret": "client secret"}.items():
        if not given.get(name):
            given[name] = _asked(f"{meaning} of the app", name)
    given.setdefault("redirect_uri", settings.url + OAUTH_CALLBACK)
    return given


def _parsed(text: str) -> dict[str, str]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not given.keys() <= set(_CLIENT):
        raise InvalidInput(f"The app must be a JSON object with {', '.join(_CLIENT)}")
    return {str(name): str(value).strip() for name, value in given.items()}


def _asked(what: str, name: str) -> str:
    if not on_terminal():
        raise InvalidInput(f'There is no terminal to ask for "{name}": give --token-file.')
    return str(typer.prompt(what, hide_input=name == "client_secret", err=True)).strip()


def _arrived(home: Path, state: str) -> str:
    """The code, from the web part or from standard input. Raises `InvalidInput`."""
    until, reading = time.monotonic() + _MOST_MINUTES * 60, True
    while time.monotonic() < until:
        login = read_login(home, state)
        if login and login.refusal:
            raise _not_allowed(login.refusal)
        if login and login.code:
            return login.code
        typed, reading = _typed(reading)
        if typed:
            return code_of(typed, state)
    raise InvalidInput(f"No code came within {_MOST_MINUTES} minutes: connect again.")


def _typed(reading: bool) -> tuple[str, bool]:
    """A line from standard input, and whether there may be more. It waits for half a second."""
    if not reading:
        time.sleep(_LOOK)
        return "", False
    line = None
    if _is_ready():
        line = sys.stdin.readline(_MOST_CODE)

    return (line or "").strip(), line != ""


def _is_ready() -> bool:
    try:
        return bool(select.select([sys.stdin], [], [], _LOOK)[0])
    except (OSError, ValueError):  # it is no file
        return True


def code_of(text: str, state: str) -> str:
    """The code in an address that the CRM sent the browser to, or the code itself. Raises
    `InvalidInput`.
    """
    if "://" not in text:
        return text
    given = parse_qs(urlsplit(text).query)
    if given.get("state", [state]) != [state]:
        raise InvalidInput("This address belongs to another attempt: connect again.")
    if "code" not in given:
        refusal = given.get("error_description") or given.get("error") or ["no code in it"]
        raise _not_allowed(refusal[0])
    return given["code"][0]


def _not_allowed(said: str) -> InvalidInput:
    return InvalidInput(f"The CRM did not allow the app: {one_line(said, 200)}")


async def _exchanged(
    settings: Settings, oauth: OAuth, connection: Connection, client: Mapping[str, str], code: str
) -> dict[str, str]:
    network = network_of(settings)
    server = HttpClient(
        connection.address, {}, secrets=(code, client["client_secret"]), network=network
    )
    wanted = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client["redirect_uri"],
    }
    try:
        answer = await ask(oauth, connection, server, client, wanted)
        return {**client, **issued(answer, connection, now())}
    finally:
        await server.close()
