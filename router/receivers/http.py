"""How we speak HTTP to other people's servers: paced, patient, and with their troubles in our words.

What they answer is hostile until parsed: it is read up to a limit, and nothing of it is trusted to be JSON.
"""

import asyncio
import html
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from router.domain.delivery.connection import reserve
from router.domain.delivery.entity import Ref
from router.errors import DatabaseUnavailable, ReceiverUnavailable
from router.service.delivery.dispatch import EntityGone, Refused
from router.service.ports import Store

SECONDS = 20.0  # a server that takes longer is tried again
MOST_BYTES = 4 << 20  # read of an answer
NO_RIGHT = timedelta(minutes=5)  # between attempts with a token that is refused: only a person can mend it
SLOW = timedelta(minutes=2)  # until a server that did not answer has either done what was asked, or never will
LONGEST_PATIENCE = timedelta(hours=1)
_UNKEPT = re.compile("[\0\ud800-\udfff]")
_MARKUP = re.compile(r"<(style|script|title)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
MOST_MARKUP = 4000  # letters of a page that are looked through: some are written to take long
SHORTEST_SECRET = 6  # shorter ones are words that any answer may hold
_PASSING = frozenset({408, 423, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. `body` is its JSON, None where there is none."""

    status: int
    body: Any
    text: str
    headers: Mapping[str, str]


class Missing(Refused):
    """The server does not have what was asked for."""


@contextmanager
def entity(ref: Ref) -> Iterator[None]:
    """Requests about this entity alone: what is missing is the entity. Raises `EntityGone`."""
    try:
        yield
    except Missing as error:
        raise EntityGone(ref) from error


class Pacer:
    """Lets an account's requests go as fast as it allows, those of all our processes together."""

    def __init__(
        self, store: Store, receiver_id: str, per_second: float, burst: int, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._receiver_id, self._clock = store, receiver_id, clock
        self._per_second, self._burst = per_second, burst

    async def __call__(self) -> None:
        """Wait for our place."""
        try:
            async with self._store.write() as session:
                now = self._clock()
                account = await session.lock_account(self._receiver_id, now)
                account, pause = reserve(account, self._per_second, self._burst, now)
                await session.save_account(account)
        except DatabaseUnavailable as error:
            raise ReceiverUnavailable(f"our own database does not answer: {error.message}") from error
        if pause:
            await asyncio.sleep(pause.total_seconds())


async def at_once() -> None:
    """No pace at all, for servers of one's own."""


class Outside:
    """One account's server."""

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        pace: Callable[[], Awaitable[None]] = at_once,
        *,
        seconds: float = SECONDS,
        secrets: Iterable[str] = (),
    ) -> None:
        self._pace, self._seconds = pace, seconds
        parts = {part for secret in secrets for part in (secret, *secret.split("/")) if len(part) >= SHORTEST_SECRET}
        self._secrets = sorted(parts, key=len, reverse=True)
        self._client = httpx.AsyncClient(
            base_url=address.rstrip("/") + "/",
            headers={"User-Agent": "Ringtrace", "Accept": "application/json", "Accept-Encoding": "identity", **headers},
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
        )

    async def ask(self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any) -> Answer:
        """One request; `request` is httpx's `params`, `json`, `data`, `files`, `headers`.

        Statuses in `accept` are returned like 2xx. Raises `ReceiverUnavailable` and `Refused`.
        """
        await self._pace()
        try:
            async with asyncio.timeout(self._seconds):  # httpx counts each chunk alone
                answer = await self._send(method, path.lstrip("/"), request)
        except (TimeoutError, httpx.ReadTimeout) as error:
            pause = timedelta() if method == "GET" else SLOW  # what it may be creating yet is looked for later
            raise ReceiverUnavailable(f"no whole answer within {self._seconds:g} s", pause=pause) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            where = f"{self._client.base_url.host}:{self._client.base_url.port or self._client.base_url.scheme}"
            raise ReceiverUnavailable(self._hidden(f"{where}: {type(error).__name__}: {error}")[:300]) from error
        if 200 <= answer.status < 300 or answer.status in accept:
            return answer
        raise trouble(answer)

    async def _send(self, method: str, path: str, request: Mapping[str, Any]) -> Answer:
        async with self._client.stream(method, path, **request) as response:
            read = bytearray()
            if (
                response.headers.get("content-encoding", "identity") != "identity"
            ):  # a few bytes may unpack to gigabytes
                raise ValueError("a packed answer, which nobody asked for")
            async for chunk in response.aiter_raw():
                read += chunk
                if len(read) > MOST_BYTES:
                    raise ValueError(f"an answer of more than {MOST_BYTES >> 20} MB")
        text = self._hidden(read.decode("utf-8", "replace"))
        return Answer(status=response.status_code, body=_parsed(text), text=text, headers=dict(response.headers))

    def _hidden(self, text: str) -> str:
        """Without our secrets, which a server may say back: what it says is shown to people and kept."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()


def trouble(answer: Answer) -> ReceiverUnavailable | Refused:
    """What a refusing answer means: to be tried again, later or much later, or never."""
    said = f"{answer.status} {plain(_without_markup(answer.text))}"
    if answer.status in {401, 403}:
        return ReceiverUnavailable(f"the token is refused or lacks a right: {said}", pause=NO_RIGHT)
    if answer.status in _PASSING or answer.status >= 500 or answer.status < 400:
        return ReceiverUnavailable(said, pause=patience(answer.headers))
    return Missing(said) if answer.status == 404 else Refused(said)


def patience(headers: Mapping[str, str]) -> timedelta:
    """What `Retry-After` asks for: seconds or a date; nothing when it says neither."""
    asked = headers.get("retry-after", "")
    if asked.isascii() and asked.isdigit():
        return min(timedelta(seconds=int(asked[:9])), LONGEST_PATIENCE)
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):
        return timedelta()
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(timedelta(), until - datetime.now(UTC)), LONGEST_PATIENCE)


def plain(text: str) -> str:
    """The beginning of what a server said, fit for a page and a log."""
    return "".join(c if c.isprintable() else " " for c in text[:300]).strip()


def _without_markup(text: str) -> str:
    """The words of a page, which some servers answer with where something went wrong."""
    if not text.lstrip().startswith("<"):
        return text
    words = _MARKUP.sub(" ", text[:MOST_MARKUP])
    return " ".join(html.unescape(words).split())


def _parsed(text: str) -> Any:
    try:
        return _clean(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _clean(value: Any) -> Any:
    """JSON can spell characters that no database keeps: NUL and halves of a letter."""
    match value:
        case str():
            return _UNKEPT.sub("\ufffd", value)
        case list():
            return [_clean(one) for one in value]
        case dict():
            return {_clean(name): _clean(one) for name, one in value.items()}
    return value
