"""Recordings of calls."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from router.domain.calls.call import Recording as RecordingRecord
from router.domain.calls.call import RecordingState
from router.domain.calls.marks import MarkKind
from router.domain.paths import recording_path
from router.web.api.models.base import Answer
from router.web.api.models.outcomes import Outcome

# OpenAPI has no tuples that every client understands
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]


class Recording(Answer):
    """A recording without its waveform, which is at `…/peaks`."""

    state: RecordingState
    """Where the audio is."""

    url: str | None = None
    """Path of the audio, once it is stored."""

    reason: Outcome | None
    """Why there is no audio, or not yet."""

    content_type: str | None
    """Media type of the audio."""

    bytes: int | None
    """Size of the audio in bytes."""

    sha256: str | None
    """SHA-256 of the audio, hexadecimal."""

    seconds: float | None
    """Length in seconds."""

    caller_speech_seconds: float | None
    """Seconds in which the caller speaks."""

    caller_silence_seconds: float | None
    """Seconds in which the caller is silent."""

    company_speech_seconds: float | None
    """Seconds in which the company speaks."""

    company_silence_seconds: float | None
    """Seconds in which the company is silent."""

    talk_over_seconds: float | None
    """Seconds in which both speak."""

    caller_longest_silence_seconds: float | None
    """The caller's longest silence in seconds."""

    company_longest_silence_seconds: float | None
    """The company's longest silence in seconds."""

    shared_silence_seconds: float | None
    """The longest silence of both sides together in seconds."""

    caller_level_dbfs: float | None
    """The caller's level: root mean square in dB below full scale."""

    company_level_dbfs: float | None
    """The company's level: root mean square in dB below full scale."""

    warnings: tuple[Outcome, ...]
    """What is wrong with the audio."""

    stored_at: datetime | None
    """When the audio was stored (UTC)."""

    @classmethod
    def of_call(cls, recording: RecordingRecord | None) -> "Recording | None":
        """The facts of a recording, if any."""
        if recording is None:
            return None
        heard = recording.state is RecordingState.STORED
        url = None
        if heard:
            url = recording_path(recording.call_id)

        return cls.of(recording).model_copy(update={"url": url})


class Peaks(Answer):
    """The waveform: the loudest of equal spans of time for each side."""

    seconds: float | None
    """Length of the recording in seconds."""

    caller: tuple[float, ...]
    """The caller's side, 0 (silence) to 1 (full scale)."""

    company: tuple[float, ...]
    """The company's side, 0 (silence) to 1 (full scale)."""

    silences: tuple[Pair, ...] | None
    """Silences of both sides together of two seconds or longer: begin and end in seconds. Null: not
    measured, by an older version."""


class Mark(Answer):
    """Something that happens at a moment of the recording."""

    kind: MarkKind
    """What it is."""

    at_seconds: float
    """Where in the recording, in seconds from its beginning."""

    seconds: float
    """How long it lasts in the recording, in seconds; 0: a moment."""

    text: str
    """Who, where to, or the words."""


class Marks(Answer):
    """The marks of a recording."""

    marks: tuple[Mark, ...]
    """In the order of the recording."""
