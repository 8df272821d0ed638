"""Servers with OpenAI's transcription interface, each with what it does otherwise than OpenAI's
documents say: one personality a product. What a product would refuse, this refuses in its words.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

TOKEN, MODEL = "sk-of-a-speech-server", "whisper-1"
LIMIT = 25 << 20
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
# segments: start, end, text
HEARD = ((0.5, 2.0, "Hello, what is the price?"), (2.5, 4.0, "I want a refund."))
SECONDS = 5.0
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Personality:
    """What one product does."""

    path: str = "/v1/audio/transcriptions"
    model_required: bool = False
    knows_model: bool = False  # an unknown one is refused
    language: str = "en"  # how it is named in the answer
    duration: Callable[[float], Any] = float
    words: str = "beside"  # beside the segments · in them · none
    error: Callable[[str], Row] = lambda text: {"error": text}
    verbose: bool = True
    token: bool = False
    longest: float | None = None  # seconds of audio


def _openai_error(text: str) -> Row:
    kind = "invalid_request_error"
    return {"error": {"message": text, "type": kind, "param": None, "code": None}}


PERSONALITIES = {
    "openai": Personality(
        model_required=True, knows_model=True, language="english", error=_openai_error, token=True
    ),
    "openai_json_only": Personality(
        model_required=True, error=_openai_error, token=True, verbose=False
    ),
    "speaches": Personality(
        model_required=True, knows_model=True, words="in", error=lambda text: {"detail": text}
    ),
    "whisper_cpp": Personality(path="/inference", language="english", words="tokens"),
    "vllm": Personality(duration=str, words="none", error=_openai_error, longest=600),
    "localai": Personality(model_required=True, words="none", error=_openai_error),
    "small_server": Personality(
        words="none", error=lambda text: {"detail": {"error": {"message": text}}}
    ),
}


@dataclass
class SpeechServer:
    """One server; what it was asked, and what it says next."""

    personality: Personality
    requests: list[FormData] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    says: list[Response] = field(default_factory=list)  # instead of a transcript, one each
    violations: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._serve, methods=["POST"])])

    async def _serve(self, request: Request) -> Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            async with request.form() as form:
                return await self._answer(request, form)
        finally:
            self.at_once -= 1

    async def _answer(self, request: Request, form: FormData) -> Response:
        if request.url.path != self.personality.path:
            return JSONResponse({"detail": "Not Found"}, 404)
        wanted = f"Bearer {TOKEN}"
        if self.personality.token and request.headers.get("authorization") != wanted:
            return self._refuse(401, "Incorrect API key provided")
        self.requests.append(form)
        if self.says:
            return self.says.pop(0)
        return await self._read_file(form) or self._read_fields(form) or self._heard(form)

    async def _read_file(self, form: FormData) -> Response | None:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            return self._refuse(400, "no 'file' field in the request")
        sound = await file.read()
        self.sizes.append(len(sound))
        if not (file.filename or "").endswith((".mp3", ".wav", ".ogg", ".flac")):
            return self._refuse(400, "Unrecognized file format")
        if len(sound) > LIMIT:
            return self._refuse(413, "Maximum content size limit exceeded")
        # an MP3 begins with a tag or a frame
        if not sound.startswith((b"ID3", b"\xff\xf3", b"\xff\xfb")):
            return self._refuse(400, "FFmpeg decoding failed")
        return None

    def _read_fields(self, form: FormData) -> Response | None:
        model, response_format = form.get("model"), form.get("response_format", "json")
        if self.personality.model_required and not model:
            return self._refuse(400, "you must provide a model parameter")
        if self.personality.knows_model and model != MODEL:
            return self._refuse(404, f"Model '{model}' is not installed locally.")
        if response_format not in FORMATS:
            return self._refuse(400, f"response_format '{response_format}' is not known")
        if not self.personality.verbose and response_format == "verbose_json":
            text = "response_format 'verbose_json' is not compatible with model"
            return self._refuse(400, f"{text} '{model}'. Use 'json' or 'text' instead.")
        granularities = form.getlist("timestamp_granularities[]")
        if granularities and response_format != "verbose_json":
            return self._refuse(400, "timestamp_granularities needs verbose_json")
        if not set(granularities) <= {"word", "segment"}:
            return PlainTextResponse("Internal Server Error", 500)
        return None

    def _refuse(self, status: int, text: str) -> Response:
        self.violations.append(text)
        return JSONResponse(self.personality.error(text), status)

    def _heard(self, form: FormData) -> Response:
        text = " ".join(said for _, _, said in HEARD)
        if form.get("response_format") == "json":
            return JSONResponse({"text": text})
        wants_words = "word" in form.getlist("timestamp_granularities[]")
        answer: Row = {
            "task": "transcribe",
            "language": self.personality.language,
            "duration": self.personality.duration(SECONDS),
            "text": text,
            "segments": [
                self._segment(place, *sentence, wants_words) for place, sentence in enumerate(HEARD)
            ],
            "words": None,
        }
        if self.personality.words == "beside" and wants_words:
            answer["words"] = [word for sentence in HEARD for word in _words(*sentence)]
        return JSONResponse(answer)

    def _segment(self, place: int, start: float, end: float, text: str, words: bool) -> Row:
        segment: Row = {"id": place, "seek": 0, "start": start, "end": end, "text": f" {text}"}
        if self.personality.words == "in" and words:
            segment["words"] = [{**word, "probability": 0.9} for word in _words(start, end, text)]
        if self.personality.words == "tokens":  # of words, in parts
            parts = [part for word in text.split() for part in (word[:2], word[2:]) if part]
            segment["words"] = [{"word": part, "start": start, "end": end} for part in parts]
        return segment


def _words(start: float, end: float, text: str) -> list[Row]:
    words = text.split()
    step = (end - start) / len(words)
    return [
        {"word": word, "start": start + place * step, "end": start + (place + 1) * step}
        for place, word in enumerate(words)
    ]
