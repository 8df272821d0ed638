"""The recorder's words: what is known of one finished recording, and the forms in which it can be
kept.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SAMPLE_RATE = 8000
"""Samples a second of every spool file."""

Span = tuple[float, float]
"""Begin and end in seconds of the recording."""


class Format(StrEnum):
    """How a recording is kept: MP3 plays and seeks in every browser, Opus sounds better for its
    size.
    """

    MP3 = "mp3"
    OPUS = "opus"

    @property
    def suffix(self) -> str:
        """The file name's ending, with the dot."""
        return {Format.MP3: ".mp3", Format.OPUS: ".ogg"}[self]

    @property
    def content_type(self) -> str:
        """The media type for HTTP."""
        return {Format.MP3: "audio/mpeg", Format.OPUS: "audio/ogg; codecs=opus"}[self]


class AudioWarning(StrEnum):
    """Something odd about a recording that does not keep it from being used."""

    CALLER_MISSING = "the caller's side was not recorded"
    COMPANY_MISSING = "the company's side was not recorded"
    CALLER_SILENT = "no speech on the caller's side"
    COMPANY_SILENT = "no speech on the company's side"
    CALLER_ENDS = "no sound on the caller's side to the end"
    COMPANY_ENDS = "no sound on the company's side to the end"
    CUT_SAMPLE = "a side ends in the middle of a sample"
    SIDES_DIFFER = "the sides differ in length by more than a second"
    LONGER_THAN_TALK = "longer than the talk time"
    MUCH_SHORTER_THAN_TALK = "less than half of the talk time"
    CLIPPED = "a side is overdriven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One party's half of a recording; seconds as `speech` measures them, level in dB below full
    scale.

    `ends_at`: the second from which every sample to the end is exactly zero, which no telephone's
    silence is.
    """

    speech_seconds: float
    silence_seconds: float
    longest_silence_seconds: float
    rms_dbfs: float
    ends_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One call's audio in the storage: caller left, company right.

    `peaks` holds the waveform as wavesurfer.js takes it: one row for the caller, one for the
    company, of at most 1000 highest absolute values from 0 to 1, evenly spread over `seconds`.
    `silences` are those of both sides together, two seconds or longer; `talk_overs` last a second
    or longer. Recordings of an earlier version have neither, nor `longest_silence_seconds`.
    """

    key: str
    content_type: str
    bytes: int
    sha256: str
    seconds: float
    caller: Side
    company: Side
    talk_over_seconds: float
    peaks: tuple[tuple[float, ...], tuple[float, ...]]
    warnings: tuple[AudioWarning, ...]
    longest_silence_seconds: float | None = None  # of both sides together
    silences: tuple[Span, ...] | None = None
    talk_overs: tuple[Span, ...] | None = None


def key_for(name: str, day: datetime, format: Format) -> str:  # noqa: A002
    """Give the storage key of a recording, `2026/11/22/<name>.mp3`, by the date that `day`
    carries.
    """
    return f"{day:%Y/%m/%d}/{name}{format.suffix}"
