"""HTTP client for receivers: rate limits, retries and errors.

Answers are not trusted: they are read up to a limit, and may not be JSON.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import httpx

from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.entity import Ref
from router.domain.text import one_line
from router.errors import ConfigurationError
from router.receivers.header_times import clock_ahead, retry_after
from router.receivers.json_body import read_json
from router.receivers.markup import without_markup
from router.receivers.network import (
    Network,
    Packed,
    connection_failure,
    is_public,
    open_client,
)
from router.receivers.rate_limiter import at_once
from router.service.delivery.outcomes import EntityGone, ReceiverUnavailable, Refused

SECONDS = 20.0  # slower servers are retried
MOST_BYTES = 4 << 20  # bytes read of an answer
MOST_PIECES = 50_000  # chunks of an answer: a hostile server may send each byte by itself
NO_RIGHT = timedelta(minutes=5)  # between attempts if only a person can fix the cause
# until a server that did not answer has finished or dropped the request
SLOW = timedelta(minutes=2)
SHORTEST_SECRET = 6  # letters; shorter secrets may occur in any answer by chance
_PASSING = frozenset({408, 423, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer. `body` is its JSON, None if there is none."""

    status: int
    body: Any
    text: str
    headers: Mapping[str, str]
    moved: str = ""  # the new address that a redirect names
    host: str = ""
    inner: bool = False  # whether it came from a private address, or may have


class TooLarge(ReceiverUnavailable):
    """The answer is too long. Request fewer rows if possible."""


class Missing(Refused):
    """The server does not have the requested object."""


@contextmanager
def entity(ref: Ref) -> Iterator[None]:
    """For requests about one entity: a missing object is this entity. Raises `EntityGone`."""
    try:
        yield
    except Missing as error:
        raise EntityGone(ref) from error


class Login(Protocol):
    """Signs the requests of an account that has no fixed token."""

    async def sign(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The signed request, and the token in it."""
        ...

    def refuse(self, token: str) -> None:
        """Called when the server refuses this token."""
        ...

    async def close(self) -> None: ...


class HttpClient:
    """Sends requests to one account's server or, with whole addresses, to any server."""

    _ahead = timedelta()

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        pace: Callable[[], Awaitable[None]] = at_once,
        *,
        seconds: float = SECONDS,
        secrets: Iterable[str] = (),
        network: Network | None = None,
        beginning: int | None = None,  # bytes read of an answer
        after_silence: timedelta = SLOW,
    ) -> None:
        self._pace, self._seconds, self._after_silence = pace, seconds, after_silence
        self._network, self._beginning = network or Network(), beginning
        self._secrets: list[str] = []
        self.hide([*secrets, *self._network.secrets()])
        self.login: Login | None = None
        self.address = address.rstrip("/")
        self._headers = {
            "User-Agent": "Ringtrace",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **headers,
        }
        self._opened: httpx.AsyncClient | None = None

    def clock_ahead(self) -> timedelta:
        """By how much the server's clock was ahead of ours in its last answer."""
        return self._ahead

    async def ask(
        self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any
    ) -> Answer:
        """One request; `request` is httpx's `params`, `json`, `data`, `files`, `headers`, `auth`.

        Statuses in `accept` are returned like 2xx. A token that has become invalid is renewed
        once. Raises `ReceiverUnavailable` and `Refused`.
        """
        if self.login is None:
            return await self._ask(method, path, accept, request)
        signed, token = await self.login.sign(request)
        self.hide([token])
        answer = await self._ask(method, path, accept | {401}, signed)
        if answer.status == 401:
            self.login.refuse(token)
            signed, token = await self.login.sign(request)
            self.hide([token])
            answer = await self._ask(method, path, accept, signed)
        return answer

    def hide(self, secrets: Iterable[str]) -> None:
        """Remove these secrets from every answer."""
        known = set(self._secrets)
        for secret in secrets:
            parts = (secret, *secret.split("/"))
            known.update(part for part in parts if len(part) >= SHORTEST_SECRET)
        self._secrets = sorted(known, key=len, reverse=True)

    async def _ask(
        self, method: str, path: str, accept: frozenset[int], request: Mapping[str, Any]
    ) -> Answer:
        await self._pace()
        try:
            client = self._client()
            async with asyncio.timeout(self._seconds):  # httpx limits each chunk separately
                answer = await self._send(client, method, path.lstrip("/"), request)
        except (TimeoutError, httpx.ReadTimeout) as error:
            # an entity that it may still create is searched later
            pause = self._after_silence
            if method == "GET":
                pause = timedelta()
            raise ReceiverUnavailable(
                AnswerCode.TIMED_OUT, pause=pause, seconds=f"{self._seconds:g}"
            ) from error
        except ConfigurationError as error:
            raise ReceiverUnavailable(
                SettingCode.NETWORK_SETTINGS, pause=NO_RIGHT, detail=error.message
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            code, detail, lasting = connection_failure(error)
            pause = timedelta()
            if lasting:
                pause = NO_RIGHT
            where, detail = self._hidden(self._where(path)), self._hidden(detail)
            raise ReceiverUnavailable(code, pause=pause, where=where, detail=detail) from error
        self._ahead = clock_ahead(answer.headers)
        if 200 <= answer.status < 300 or answer.status in accept:
            return answer
        raise error_for(answer)

    def _client(self) -> httpx.AsyncClient:
        """Opened with the first request, so that a bad CA file stops requests only."""
        if self._opened is None:
            self._opened = open_client(
                self._network,
                base_url=f"{self.address}/",
                headers=self._headers,
                timeout=self._seconds,
            )
        return self._opened

    def _where(self, path: str) -> str:
        """The server's name; the rest of the address may be secret."""
        if "://" not in path:
            path = self.address
        try:
            asked = httpx.URL(path)
        except httpx.InvalidURL:
            return "the address"
        return f"{asked.host}:{asked.port or asked.scheme}"

    async def _send(
        self, client: httpx.AsyncClient, method: str, path: str, request: Mapping[str, Any]
    ) -> Answer:
        async with client.stream(method, path, **request) as response:
            read = await self._read(response)
            inner = self._network.proxied(response.url.host) or not is_public(response)
        text = self._hidden(read.decode("utf-8", "replace"))
        return Answer(
            status=response.status_code,
            body=await read_json(text),
            text=text,
            headers={name: self._hidden(text) for name, text in response.headers.items()},
            moved=self._hidden(_new_address(response)),
            host=response.url.host,
            inner=inner,
        )

    async def _read(self, response: httpx.Response) -> bytes:
        """The answer as sent, not decompressed: a few bytes could become gigabytes."""
        packed = response.headers.get("content-encoding", "identity") != "identity"
        if packed and self._beginning is None:
            raise Packed

        read, pieces = bytearray(), 0
        async for chunk in response.aiter_raw():
            read += chunk
            pieces += 1
            if self._beginning is not None and len(read) >= self._beginning:
                break
            if len(read) > MOST_BYTES:
                raise TooLarge(AnswerCode.ANSWER_TOO_LONG, megabytes=MOST_BYTES >> 20)
            if pieces > MOST_PIECES:
                raise TooLarge(AnswerCode.ANSWER_IN_PIECES, count=MOST_PIECES)
        if packed:
            return b""
        return bytes(read[: self._beginning])

    def _hidden(self, text: str) -> str:
        """The text without our secrets, which a server may echo: answers are stored and shown."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text

    async def close(self) -> None:
        """Close connections."""
        if self.login is not None:
            await self.login.close()
        if self._opened is not None:
            await self._opened.aclose()


def _new_address(response: httpx.Response) -> str:
    """Where a redirect leads to; empty for other answers."""
    location = response.headers.get("location", "")
    if not 300 <= response.status_code < 400 or not location:
        return ""
    try:
        return one_line(str(response.url.join(location)))
    except (httpx.InvalidURL, ValueError):
        return one_line(location)


def error_for(answer: Answer) -> ReceiverUnavailable | Refused:
    """The error for an answer: retry soon, retry later, or never."""
    said: dict[str, Any] = {"status": answer.status, "detail": words(answer)}
    if answer.status in {401, 403}:
        return ReceiverUnavailable(AnswerCode.TOKEN_REJECTED, pause=NO_RIGHT, **said)
    if answer.moved:
        moved = {"status": answer.status, "address": answer.moved}
        return ReceiverUnavailable(AnswerCode.SERVER_MOVED, pause=NO_RIGHT, **moved)
    if answer.status in _PASSING or answer.status >= 500 or answer.status < 400:
        pause = retry_after(answer.headers)
        return ReceiverUnavailable(AnswerCode.UNAVAILABLE, pause=pause, **said)
    if answer.status == 404:
        return Missing(AnswerCode.NOT_FOUND, **said)
    return Refused(AnswerCode.REFUSED, **said)


def words(answer: Answer) -> str:
    """A server's message, without HTML."""
    return one_line(without_markup(answer.text))
