"""Access tokens of OAuth apps: issued for a code, renewed before they expire, stored before use.

Many servers revoke a refresh token that is sent twice. So one process renews at a time, and the
others find the result in `secrets.json`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import structlog

from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.connection import Connection
from router.errors import ConfigurationError
from router.receivers.http import NO_RIGHT, Answer, HttpClient, words
from router.receivers.json_body import mapping
from router.receivers.kept_tokens import KeptToken, secrets_of
from router.service.clock import Clock
from router.service.delivery.outcomes import ReceiverUnavailable

log = structlog.get_logger()

Address = Callable[[Connection], str]
_REFUSALS = frozenset({400, 401, 403})
_EARLY = timedelta(minutes=1)  # a token is renewed this long before it expires
_USUAL = timedelta(hours=1)  # where the server does not say how long it lasts
_LONGEST = timedelta(days=30)
_MOST_TOKEN = 10_000  # characters
# servers' codes for a refresh token or code that expired, was revoked or was used before
_ENDED = frozenset({"invalid_grant", "invalid_code", "invalid_token", "bad_refresh_token"})


# the new token may have been issued nevertheless; the former one may still be taken for a while
_ANSWER_LOST = frozenset(
    {
        *(AnswerCode.TIMED_OUT, AnswerCode.NO_CONNECTION, AnswerCode.NOT_HTTP),
        *(AnswerCode.UNAVAILABLE, AnswerCode.ANSWER_IN_PIECES),
    }
)


class Body(StrEnum):
    """The format of requests to the token endpoint."""

    FORM = "form"
    JSON = "json"
    BASIC = "basic"  # a form, but the app's ID and secret are in a header


def in_header(scheme: str) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """A request with the token in its header `Authorization`."""

    def signed(token: str, request: Mapping[str, Any]) -> dict[str, Any]:
        headers = {**request.get("headers", {}), "Authorization": f"{scheme} {token}"}
        return {**request, "headers": headers}

    return signed


with_bearer = in_header("Bearer")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """How a kind of receiver issues access tokens."""

    token: Address  # of the token endpoint
    authorize: Address | None = None  # of the page where a person allows the app
    asked: Mapping[str, str] = field(default_factory=dict)  # more parameters of that page
    scope: str = ""
    body: Body = Body.FORM
    sign: Callable[[str, Mapping[str, Any]], dict[str, Any]] = with_bearer


def below(option: str, server: str, path: str) -> Address:
    """An address on the server that an option names, by default `server`."""

    def address(connection: Connection) -> str:
        return f"{(connection.options.get(option) or server).rstrip('/')}{path}"

    return address


def is_app(token: Mapping[str, str]) -> bool:
    """Whether a connection logs in as an OAuth app instead of by a fixed token."""
    return "client_id" in token


def page_to_open(
    oauth: OAuth, connection: Connection, client: Mapping[str, str], state: str
) -> str:
    """The address of the page where a person allows the app."""
    assert oauth.authorize is not None, "the kind has no such page"
    asked = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": client["redirect_uri"],
        "state": state,
    }
    if oauth.scope:
        asked["scope"] = oauth.scope
    asked |= oauth.asked
    return f"{oauth.authorize(connection)}?{urlencode(asked)}"


class AccessToken:
    """The access token of one connection: the `Login` of its HTTP client."""

    def __init__(
        self,
        oauth: OAuth,
        connection: Connection,
        kept: KeptToken,
        server: HttpClient,
        clock: Clock,
    ) -> None:
        self._oauth, self._connection, self._kept = oauth, connection, kept
        self._server, self._clock = server, clock
        self._known: Mapping[str, str] = {}
        self._refused = ""  # an access token that the API no longer accepts
        self._unsaved: dict[str, str] = {}  # changes that could not be written to the disk
        self._renewing: asyncio.Task[Mapping[str, str]] | None = None

    async def sign(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The request with a valid token, and the token. Raises `ReceiverUnavailable`."""
        token = await self.current()
        return self._oauth.sign(token, request), token

    async def current(self) -> str:
        """A valid token. Raises `ReceiverUnavailable` if the server refuses the grant."""
        if self._unsaved:
            self._save(self._unsaved)
        if not self._usable(self._known):
            self._known = self._read()
        if not self._usable(self._known):
            if self._renewing is None or self._renewing.done():
                self._renewing = asyncio.create_task(self._renew())
            # a caller that waits may be cancelled; a renewal that has begun is always stored
            self._known = await asyncio.shield(self._renewing)
        return self._known["access_token"]

    def refuse(self, token: str) -> None:
        """The API did not accept this token: renew it before the next request."""
        self._refused = token

    async def close(self) -> None:
        """Finish a renewal that has begun, so that its result is stored."""
        if self._renewing is not None:
            await asyncio.wait([self._renewing])
            if not self._renewing.cancelled():
                self._renewing.exception()  # its callers report the error
        await self._server.close()

    async def _renew(self) -> Mapping[str, str]:
        async with self._kept.turn():
            known = self._read()
            if self._usable(known):  # another process has renewed it meanwhile
                return known
            # proves that the result can be stored; if this process dies, the next one knows
            self._store({"renewal_began": self._clock().isoformat()})
            try:
                new = await self._asked(known)
            except ReceiverUnavailable as error:
                if error.outcome.code not in _ANSWER_LOST:
                    self._save({"renewal_began": known.get("renewal_began", "")})
                raise
            self._save({**new, "renewal_began": ""})
            return {**known, **new}

    async def _asked(self, known: Mapping[str, str]) -> dict[str, str]:
        grant = "client_credentials"
        if "refresh_token" in known:
            grant = "refresh_token"
        wanted = {"grant_type": grant, **_chosen(known, "redirect_uri", "refresh_token")}
        if self._oauth.body is not Body.JSON:  # only amoCRM requires the address again
            wanted.pop("redirect_uri", None)
        answer = await ask(self._oauth, self._connection, self._server, known, wanted)
        return issued(answer, self._connection, self._clock(), known.get("renewal_began", ""))

    def _usable(self, known: Mapping[str, str]) -> bool:
        token = known.get("access_token", "")
        if not token or token == self._refused:
            return False
        try:
            ends = datetime.fromisoformat(known["expires_at"])
            return self._clock() < ends - _EARLY
        except (KeyError, TypeError, ValueError):
            return False

    def _read(self) -> dict[str, str]:
        known = self._kept.read() | self._unsaved
        self._server.hide(secrets_of(known))
        return known

    def _store(self, changes: Mapping[str, str]) -> None:
        try:
            self._kept.change(changes)
        except (ConfigurationError, OSError) as error:
            raise ReceiverUnavailable(
                SettingCode.SECRETS_UNWRITABLE, pause=NO_RIGHT, detail=str(error)
            ) from error

    def _save(self, changes: dict[str, str]) -> None:
        """Store changes that must not be lost; if the disk is full, they are stored later."""
        try:
            self._store({**self._unsaved, **changes})
            self._unsaved = {}
        except ReceiverUnavailable as error:
            self._unsaved |= changes
            log.error("token_not_stored", receiver=self._connection.id, reason=error.message)


async def ask(
    oauth: OAuth,
    connection: Connection,
    server: HttpClient,
    client: Mapping[str, str],
    wanted: Mapping[str, str],
) -> Answer:
    """The answer of the token endpoint. Raises `ReceiverUnavailable`."""
    app = _chosen(client, "client_id", "client_secret")
    request: dict[str, Any] = {"data": {**app, **wanted}}
    if oauth.body is Body.JSON:
        request = {"json": {**app, **wanted}}
    if oauth.body is Body.BASIC:
        request = {"data": wanted, "auth": (client["client_id"], client.get("client_secret", ""))}
    return await server.ask("POST", oauth.token(connection), accept=_REFUSALS, **request)


def issued(
    answer: Answer, connection: Connection, now: datetime, began: str = ""
) -> dict[str, str]:
    """The parts of the token endpoint's answer to store. Raises `ReceiverUnavailable`."""
    body = mapping(answer.body)
    token = body.get("access_token")
    if not _is_token(token):
        raise _refusal(answer, connection, began)

    found = {"access_token": str(token), "expires_at": (now + _lasts(body)).isoformat()}
    if _is_token(body.get("refresh_token")):
        found["refresh_token"] = str(body["refresh_token"])
    user = body.get("user_id")  # Bitrix24 needs it
    if type(user) is int or (isinstance(user, str) and user.isascii() and user.isdigit()):
        found["user_id"] = str(user)[:20]
    return found


def _lasts(body: Mapping[str, Any]) -> timedelta:
    seconds = body.get("expires_in")
    if type(seconds) is not int or seconds <= 0:
        return _USUAL
    return min(timedelta(seconds=min(seconds, 10**9)), _LONGEST)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _refusal(answer: Answer, connection: Connection, began: str) -> ReceiverUnavailable:
    body = mapping(answer.body)
    named = {str(body.get(name, "")).lower() for name in ("error", "status", "category")}
    said = {"receiver": connection.id, "detail": words(answer)}
    # amoCRM gives no code, but "Token has been revoked" and similar texts in `hint`
    if not named & _ENDED and "token" not in str(body.get("hint", "")).lower():
        return ReceiverUnavailable(AnswerCode.NO_ACCESS_TOKEN, pause=NO_RIGHT, **said)
    interrupted = _moment(began)
    if interrupted is not None:
        lost = {"began": interrupted, "receiver": connection.id}
        return ReceiverUnavailable(AnswerCode.RENEWAL_LOST, pause=NO_RIGHT, **lost)
    return ReceiverUnavailable(AnswerCode.CONNECT_AGAIN, pause=NO_RIGHT, **said)


def _is_token(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_TOKEN:
        return False
    return value.isascii() and value.isprintable()


def _chosen(token: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: token[name] for name in names if name in token}
