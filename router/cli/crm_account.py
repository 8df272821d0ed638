"""Opens an account for a command: its token, its adapter and the printed checks."""

import json
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import typer

from router.bootstrap import now
from router.cli.opening import read_settings
from router.cli.output import Column, print_facts, print_table, say
from router.domain.delivery.connection import Connection
from router.domain.delivery.outcome import sentence
from router.errors import ConfigurationError, InvalidInput
from router.receivers.declaration import Declaration
from router.receivers.http import Answer, HttpClient
from router.receivers.kept_tokens import KeptToken, secrets_of
from router.receivers.network import Network, network_of
from router.receivers.rate_limiter import RateLimiter
from router.receivers.registry import KINDS, login_of
from router.service.delivery.dry_run import DryRun, Step
from router.service.delivery.ports import Check

MOST_TOKEN = 100_000  # characters of a file with a token


class Unsent(HttpClient):
    """Sends only requests that read; records the others and answers them as if
    accepted.
    """

    def __init__(
        self,
        address: str,
        pace: RateLimiter,
        secrets: Iterable[str],
        steps: list[Step],
        network: Network | None = None,
    ) -> None:
        self._masked, self._steps = tuple(filter(None, secrets)), steps
        super().__init__(address, {}, pace, secrets=self._masked, network=network)

    async def ask(
        self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any
    ) -> Answer:
        """See `HttpClient.ask`. Headers and secrets are not recorded."""
        if method == "GET":
            return await super().ask(method, path, accept=accept, **request)
        values = {name: self._plain(value) for name, value in request.items() if name != "headers"}
        self._steps.append(Step(verb=method, what=self._plain(path), values=values))
        return Answer(status=200, body={}, text="{}", headers={})

    def _plain(self, value: Any) -> str:
        if isinstance(value, str):
            text = value
        else:
            text = json.dumps(value, ensure_ascii=False, default=_readable)

        for secret in self._masked:
            text = text.replace(secret, "…")
        return text


def _readable(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


@asynccontextmanager
async def opened(
    store: Any, connection: Connection, kept: KeptToken, unsent: list[Step] | None = None
) -> AsyncIterator[Any]:
    """Open the adapter; with `unsent`, one that sends nothing. Raises `InvalidInput` for options it
    cannot use.
    """
    kind, token = kind_of(connection.kind), kept.read()
    address, pace = (
        connection.address,
        RateLimiter(store, connection.id, kind.per_second, kind.burst, now),
    )
    network = network_of(read_settings())
    if unsent is None:
        http = HttpClient(address, {}, pace, secrets=secrets_of(token), network=network)
    else:
        http = Unsent(address, pace, secrets_of(token), unsent, network)

    http.login = login_of(kind, connection, kept, now, network)
    try:
        yield _adapter(kind, connection, token, http)
    finally:
        await http.close()


def _adapter(
    kind: Declaration, connection: Connection, token: Mapping[str, str], http: HttpClient
) -> Any:
    try:
        return kind.adapter(connection, token, http)
    except (KeyError, TypeError, ValueError) as error:
        known = (
            "; ".join(f"{name}: {meaning}" for name, meaning in kind.options.items())
            or "it has no options"
        )
        raise InvalidInput(f"{kind.title} cannot use these options ({error!r}). {known}") from error


def kind_of(name: str) -> Declaration:
    """The kind of connection with this name. Raises `InvalidInput`."""
    if name not in KINDS:
        raise InvalidInput(
            f"'{name[:40]}' is not a kind of connection; choose one of: {', '.join(KINDS)}"
        )
    return KINDS[name]


def keeps_entities(kind: str) -> bool:
    """Whether it is a CRM; analytics services only get events."""
    return kind not in KINDS or not KINDS[kind].analytics


def on_terminal() -> bool:
    """Whether standard input is a terminal."""
    return sys.stdin.isatty()


def read_token(kind: Declaration, file: str | None) -> dict[str, str]:
    """Read the token of this kind from a file, or prompt for it without echo."""
    if file is not None:
        return _parsed(kind, read_content(file))
    if not kind.token:
        return {}
    if not on_terminal():
        names = ", ".join(f'"{name}": "…"' for name in kind.token)
        raise InvalidInput(
            f"There is no terminal to ask for the token: give --token-file with {{{names}}}."
        )
    given = {name: _asked(f"{name} ({meaning})") for name, meaning in kind.token.items()}
    return _whole(kind, given)


def _asked(what: str) -> str:
    return str(
        typer.prompt(what, hide_input=True, default="", show_default=False, err=True)
    ).strip()


def read_content(file: str) -> str:
    """A file, or standard input for `-`. Raises `InvalidInput`."""
    try:
        if file == "-":
            return sys.stdin.read(MOST_TOKEN)
        return Path(file).read_text()[:MOST_TOKEN]
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read as a token: {error}") from error


def _parsed(kind: Declaration, text: str) -> dict[str, str]:
    """Parse a JSON object with the names of `ringtrace crm kinds`, or a bare token if there is one
    name.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) and len(kind.token) == 1:
        given = {next(iter(kind.token)): text.strip()}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise InvalidInput(f"The token must be a JSON object of strings: {', '.join(kind.token)}")
    unknown = given.keys() - kind.token.keys()
    if unknown:
        raise InvalidInput(
            f"{kind.title} has no '{min(unknown)[:40]}' to log in with, but {', '.join(kind.token)}"
        )
    return _whole(kind, given)


def _whole(kind: Declaration, given: Mapping[str, str]) -> dict[str, str]:
    for name, meaning in kind.token.items():
        if not given.get(name) and not meaning.startswith("optional"):
            raise InvalidInput(f"{kind.title} needs '{name}' to log in: {meaning}")
    return {name: text.strip() for name, text in given.items() if text.strip()}


def needed_token(tokens: Mapping[str, dict[str, str]], name: str) -> dict[str, str]:
    """The stored token. Raises `ConfigurationError`."""
    if name not in tokens:
        raise ConfigurationError(
            f"'{name}' has no token on this machine: run `ringtrace crm connect {name}`"
        )
    return tokens[name]


def print_checks(checks: Sequence[Check], created: Sequence[str] = ()) -> None:
    """Print the checks, and how to fix those that failed."""
    rows = (
        (_outcome(check), str(check.what), "" if check.well else sentence(check.fix))
        for check in checks
    )
    print_table((Column(title=""), Column(title="looked at"), Column(title="what to do")), rows)
    for what in created:
        say(f"Created: {what}")


def _outcome(check: Check) -> str:
    """Without what is `no`, calls are refused; with `!` they arrive, with less in them."""
    if check.well:
        return "ok"
    if check.optional:
        return "!"
    return "no"


def print_dry_run(run: DryRun) -> None:
    """Print what would be sent, and the result."""
    say(f"Call {run.call_id}. Nothing below was sent:")
    for step in run.steps:
        values = ((name, str(value).replace("\n", " · ")) for name, value in step.values.items())
        print_facts(values, title=f"{step.verb} {step.what}", indent=2)
    if not run.steps:
        say("  (nothing to send)")
    say(f"Outcome: {run.said}")
    print_candidates(run.candidates)


def print_candidates(candidates: Iterable[Any]) -> None:
    """Print the candidates for a review."""
    names = ("kind", "id", "title", "phones", "created", "open", "client ID")
    rows = (
        (
            candidate.ref.kind,
            candidate.ref.id,
            candidate.title,
            candidate.phones,
            candidate.created_at,
            candidate.open,
            candidate.client_id or "",
        )
        for candidate in candidates
    )
    print_table(tuple(Column(title=name) for name in names), rows, title="Candidates")
