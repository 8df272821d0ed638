"""Speech to text by a server with OpenAI's transcription API: whisper.cpp, speaches, vLLM,
LocalAI, or a cloud service.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from router.domain.calls.heard import read_segments
from router.domain.calls.transcript import Spoken, TranscriptionRule
from router.domain.calls.transcript_codes import TranscriptCode
from router.domain.delivery.codes import AnswerCode
from router.errors import InvalidInput
from router.receivers.header_times import retry_after
from router.receivers.http import Answer, HttpClient, words
from router.receivers.kept_tokens import bearer
from router.receivers.network import LOOPBACK, Network
from router.service.calls.transcription_ports import Piece
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

TOKENS = "speech:"  # prefix of a rule's name among the stored tokens
LEAST_SECONDS = 60.0  # time limit of a request, plus twice the length of its audio
_HUNG_UP = 499  # status for a client that closed the connection; proxies use it too
_FORMATS = ("response_format", "verbose_json", "timestamp_granularities")
Tokens = Callable[[], Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpeech:
    """The `Engines` of `router.service.calls.transcription_ports`, over HTTP."""

    network: Network
    tokens: Tokens  # the present tokens

    def name(self, rule: TranscriptionRule) -> str:
        """The server that transcribes, and its model."""
        return " · ".join(filter(None, (server_of(rule.address), rule.model)))

    async def hear(
        self, rule: TranscriptionRule, pieces: Sequence[Piece]
    ) -> AsyncIterator[tuple[Spoken, ...]]:
        """Transcribe each piece, one request after the other."""
        for piece in pieces:
            yield await self._hear(rule, piece)

    async def _hear(self, rule: TranscriptionRule, piece: Piece) -> tuple[Spoken, ...]:
        token = token_for(rule, self.tokens())
        http = HttpClient(
            rule.address,
            bearer(token),
            seconds=LEAST_SECONDS + 2 * piece.seconds,
            secrets=[token],
            network=self.network,
            after_silence=timedelta(seconds=LEAST_SECONDS),
        )
        try:
            answer = await _ask(http, rule, piece)
        finally:
            await http.close()
        spoken = read_segments(answer.body, answer.text, piece.side, piece.seconds)
        if spoken is None:
            raise Refused(TranscriptCode.NO_TEXT, detail=words(answer))
        return spoken


async def _ask(http: HttpClient, rule: TranscriptionRule, piece: Piece) -> Answer:
    """Request segments and words with times; servers without times return the text only."""
    try:
        return await _post(
            http,
            rule,
            piece,
            {
                "response_format": "verbose_json",
                "timestamp_granularities[]": ["word", "segment"],
            },
        )
    except Refused as error:
        said = str(error.outcome)
        if not any(name in said for name in _FORMATS):
            raise
    return await _post(http, rule, piece, {"response_format": "json"})


async def _post(
    http: HttpClient, rule: TranscriptionRule, piece: Piece, wanted: Mapping[str, Any]
) -> Answer:
    sound = await asyncio.to_thread(piece.path.read_bytes)
    fields: dict[str, Any] = {"language": rule.language, **wanted}
    if rule.model:
        fields["model"] = rule.model
    answer = await http.ask(
        "POST",
        endpoint_of(rule.address),
        accept=frozenset({_HUNG_UP}),
        data=fields,
        # the file name's extension tells the format
        files={"file": (f"call{piece.path.suffix}", sound, "audio/mpeg")},
    )
    if answer.status == _HUNG_UP:
        raise ReceiverUnavailable(
            AnswerCode.UNAVAILABLE,
            pause=retry_after(answer.headers),
            status=answer.status,
            detail=words(answer),
        )
    return answer


def endpoint_of(address: str) -> str:
    """The whole address of the API: whisper.cpp's is `/inference`, others end with
    `/audio/transcriptions`.
    """
    address = address.rstrip("/")
    path = urlsplit(address).path
    if path.endswith(("/inference", "/transcriptions")):
        return address
    if path:
        return f"{address}/audio/transcriptions"
    return f"{address}/v1/audio/transcriptions"


def server_of(address: str) -> str:
    """Host and port of an address; a token is sent to no other server."""
    return urlsplit(address).netloc.rpartition("@")[2]


def token_for(rule: TranscriptionRule, tokens: Mapping[str, Mapping[str, str]]) -> str:
    """The rule's token, if it was entered for this server."""
    kept = tokens.get(f"{TOKENS}{rule.id}", {})
    if kept.get("server") != server_of(rule.address):
        return ""
    return kept.get("token", "")


def check_speech_address(address: str) -> str:
    """Check that recordings may be sent to this address. Raises `InvalidInput`."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in {"http", "https"} or parts.username or parts.query:
        raise InvalidInput(
            f"'{address[:80]}' is not an address: write it as https://speech.example.com/v1"
        )
    if parts.scheme == "http" and host not in LOOPBACK:
        raise InvalidInput(
            "recordings are sent unencrypted to this machine alone: use https for other hosts"
        )
    return address.rstrip("/")
