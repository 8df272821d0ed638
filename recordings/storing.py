"""Makes a verified recording in the storage of a finished spool pair.

Killed at any point it can be run again from the start. The order makes that safe: audio on the
storage and read back, then its label, then the spool emptied. A scratch file is overwritten or
removed; a lone spool file beside a labelled recording is what remains of an emptying that was cut
short.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

from recordings.audio_analyzer import AudioAnalyzer, Reading
from recordings.encoding import Encoder
from recordings.errors import BrokenSpool, DiskFull, NotStored
from recordings.growth import Course, gaps, read_growths
from recordings.recording import AudioWarning, Format, Recording
from recordings.sidecar import read_sidecar, write_sidecar
from recordings.spool import OpenPair, Samples, SpoolPair, discard, keep_aside, opened
from recordings.storage import Storage

_TOLERANCE_SECONDS = 2.0  # between the CEL log's clock and the samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A stereo file with all that is known of it, not yet stored."""

    file: Path
    content_type: str
    sha256: str
    seconds: float
    reading: Reading
    warnings: tuple[AudioWarning, ...]


def store_pair(
    pair: SpoolPair,
    *,
    storage: Storage,
    key: str,
    work_dir: Path,
    format: Format = Format.MP3,  # noqa: A002
    expected_seconds: float | None = None,
    course: Course | None = None,
    ffmpeg: str = "ffmpeg",
    timeout_seconds: float | None = None,
) -> Recording:
    """Encode, measure and store a pair, then empty its spool. A later run returns the same
    recording.

    `expected_seconds` is the time from answer to end; a different length is a warning only, since
    Asterisk writes nothing while neither side sends; with the `course` of the call that time is put
    back as silence, where the agent saw it. Raises Retryable or NoSound with the spool
    untouched, BrokenSpool with the pair moved to `<spool>/broken`, SpoolMissing when there is
    nothing to store and nothing was stored.
    """
    encoder = Encoder(format=format, ffmpeg=ffmpeg, timeout_seconds=timeout_seconds)
    scratch = work_dir / f"{pair.name}.part{format.suffix}"
    if len(pair.files()) < 2 and (finished := recall(storage, key)):
        discard(pair)
        scratch.unlink(missing_ok=True)
        return finished
    try:
        with opened(pair) as audio, _scratch(scratch):
            whole = _with_gaps(audio, course)
            encoded = encode_pair(whole, to=scratch, encoder=encoder)
            audio.check_unchanged()
            recording = _put(
                encoded, storage, key, _length_warnings(encoded.seconds, expected_seconds)
            )
            discard(pair)
            return recording
    except BrokenSpool as broken:
        keep_aside(pair, str(broken))
        raise


def _with_gaps(audio: OpenPair, course: Course | None) -> OpenPair:
    if course is None:
        return audio
    growths = read_growths(audio.pair.growth)
    return replace(audio, gaps=tuple(gaps(growths, max(audio.sizes), course)))


def recall(storage: Storage, key: str) -> Recording | None:
    """The stored recording, read from its sidecar; None unless both exist and agree."""
    try:
        recording = read_sidecar(storage.sidecar(key))
        return recording if storage.stat(key).bytes == recording.bytes else None
    except (NotStored, ValueError):
        return None


def encode_pair(audio: OpenPair, *, to: Path, encoder: Encoder) -> Encoded:
    """Encode and measure an opened pair in one pass over its samples."""
    analyzer = AudioAnalyzer()
    encoder.encode(_measured(audio, analyzer), to=to, seconds=audio.seconds)
    reading = analyzer.read()
    with to.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Encoded(
        file=to,
        content_type=encoder.format.content_type,
        sha256=sha256,
        seconds=audio.seconds,
        reading=reading,
        warnings=(*audio.warnings(), *_sound_warnings(reading), *_holes(reading, audio)),
    )


def _measured(audio: OpenPair, analyzer: AudioAnalyzer) -> Iterator[tuple[Samples, Samples]]:
    for caller, company in audio.blocks():
        analyzer.add(caller, company)
        yield caller, company


def _put(
    encoded: Encoded, storage: Storage, key: str, length_warnings: tuple[AudioWarning, ...]
) -> Recording:
    stored = storage.put(
        key, encoded.file, sha256=encoded.sha256, content_type=encoded.content_type
    )
    recording = Recording(
        key=key,
        content_type=encoded.content_type,
        bytes=stored.bytes,
        sha256=encoded.sha256,
        seconds=encoded.seconds,
        caller=encoded.reading.caller,
        company=encoded.reading.company,
        talk_over_seconds=encoded.reading.talk_over_seconds,
        longest_silence_seconds=encoded.reading.longest_silence_seconds,
        silences=encoded.reading.silences,
        talk_overs=encoded.reading.talk_overs,
        peaks=encoded.reading.peaks,
        warnings=encoded.warnings + length_warnings,
    )
    storage.put_sidecar(key, write_sidecar(recording))
    return recording


def _sound_warnings(reading: Reading) -> Iterator[AudioWarning]:
    if not reading.caller.speech_seconds:
        yield AudioWarning.CALLER_SILENT
    if not reading.company.speech_seconds:
        yield AudioWarning.COMPANY_SILENT
    if reading.clipped:
        yield AudioWarning.CLIPPED


def _holes(reading: Reading, audio: OpenPair) -> Iterator[AudioWarning]:
    """Warnings for sides that are silent to the end; a shorter file has its own warning."""
    if AudioWarning.SIDES_DIFFER in audio.warnings():
        return
    if reading.caller.ends_at is not None:
        yield AudioWarning.CALLER_ENDS
    if reading.company.ends_at is not None:
        yield AudioWarning.COMPANY_ENDS


def _length_warnings(seconds: float, expected: float | None) -> tuple[AudioWarning, ...]:
    if expected is None or abs(seconds - expected) <= _TOLERANCE_SECONDS:
        return ()
    if seconds > expected:
        return (AudioWarning.LONGER_THAN_TALK,)
    return (AudioWarning.MUCH_SHORTER_THAN_TALK,) if seconds < expected / 2 else ()


@contextmanager
def _scratch(file: Path) -> Iterator[None]:
    """Make a directory for a scratch file, and remove the file afterwards. Raises DiskFull."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT, EFBIG):
            raise DiskFull from error
        raise
    finally:
        file.unlink(missing_ok=True)
