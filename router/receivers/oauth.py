"""Access tokens of OAuth: fetched when the first request needs one, and again before they end."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from router.domain.delivery.codes import AnswerCode
from router.receivers.http import NO_RIGHT, Answer, HttpClient, words
from router.service.clock import Clock, utc_now
from router.service.delivery.outcomes import ReceiverUnavailable

_REFUSALS = frozenset({400, 401})
_EARLY = timedelta(minutes=1)  # before its end a token is fetched again
_USUAL = timedelta(hours=1)  # where the server does not say how long it lasts


class AccessToken:
    """The access token of one connection, by a grant that does not change."""

    def __init__(
        self,
        http: HttpClient,
        address: str,
        grant: Mapping[str, str],
        clock: Clock = utc_now,
    ) -> None:
        self._http, self._address, self._grant, self._clock = http, address, grant, clock
        self._token, self._until = "", clock()
        self._fetching = asyncio.Lock()

    async def __call__(self) -> str:
        """A token that is valid now. Raises `ReceiverUnavailable` where the grant is refused."""
        async with self._fetching:
            if not self._token or self._clock() >= self._until:
                await self._fetch()
            return self._token

    def forget(self) -> None:
        """The server does not accept it any more: fetch another next time."""
        self._token = ""

    async def _fetch(self) -> None:
        answer = await self._http.ask("POST", self._address, data=self._grant, accept=_REFUSALS)
        body = answer.body if isinstance(answer.body, dict) else {}
        token, seconds = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise ReceiverUnavailable(
                AnswerCode.NO_ACCESS_TOKEN, pause=NO_RIGHT, detail=words(answer)
            )
        lasts = timedelta(seconds=seconds) if type(seconds) is int else _USUAL
        self._token, self._until = token, self._clock() + min(lasts, _USUAL) - _EARLY


class Authorized:
    """Requests that carry an access token; one that has become invalid is replaced once."""

    def __init__(self, http: HttpClient, token: AccessToken, scheme: str) -> None:
        self._http, self._token, self._scheme = http, token, scheme

    async def ask(
        self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any
    ) -> Answer:
        """See `HttpClient.ask`."""
        more = request.pop("headers", {})
        for accepted in (accept | {401}, accept):
            headers = {**more, "Authorization": f"{self._scheme} {await self._token()}"}
            answer = await self._http.ask(method, path, accept=accepted, headers=headers, **request)
            if answer.status != 401:
                break
            self._token.forget()
        return answer
