"""Implements the use cases' recording ports with the package `recordings`."""

import asyncio
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import recordings
from recordings import errors
from recordings.errors import (
    BrokenSpool,
    InvalidName,
    NoSound,
    NotStored,
    OutsideRecording,
    RecordingError,
    Retryable,
    SpoolMissing,
)
from router.domain.calls.call import (
    Call,
    Ending,
    PeriodKind,
    Recording,
    RecordingState,
    Spans,
)
from router.domain.calls.recording_codes import NoRecordingCode, RecordingCode
from router.domain.delivery.outcome import Outcome
from router.errors import InvalidInput, NotFound, Unavailable
from router.service.calls.ports import Audio, Converted, DownloadFormat, HeardSide
from router.service.calls.recording import AT_ONCE, RecorderBusy, StillWriting

TALK_BYTES = 16_000  # a second
QUIET_SECONDS = 0.5  # a spool file that has not grown for so long after the call's end is whole
EMPTY_SECONDS = 5.0  # Asterisk keeps up to two seconds of sound to itself until it closes a file
CODES: dict[type[RecordingError], NoRecordingCode] = {
    errors.SpoolMissing: NoRecordingCode.SPOOL_MISSING,
    errors.NoSound: NoRecordingCode.NO_SOUND,
    errors.BrokenSpool: NoRecordingCode.BROKEN_SPOOL,
    errors.NotAFile: NoRecordingCode.NOT_A_FILE,
    errors.OtherFormat: NoRecordingCode.OTHER_FORMAT,
    errors.InvalidName: NoRecordingCode.INVALID_NAME,
    errors.SpoolBusy: NoRecordingCode.SPOOL_BUSY,
    errors.SpoolUnreadable: NoRecordingCode.SPOOL_UNREADABLE,
    errors.StillGrowing: NoRecordingCode.STILL_GROWING,
    errors.DiskFull: NoRecordingCode.DISK_FULL,
    errors.EncoderMissing: NoRecordingCode.ENCODER_MISSING,
    errors.EncoderFailed: NoRecordingCode.ENCODER_FAILED,
    errors.EncoderTimedOut: NoRecordingCode.ENCODER_TIMED_OUT,
    errors.StorageFailed: NoRecordingCode.STORAGE_FAILED,
    errors.StoredCopyDiffers: NoRecordingCode.STORED_COPY_DIFFERS,
    errors.NotStored: NoRecordingCode.NOT_STORED,
}


class SpoolRecorder:
    """The `Recorder` of `router.service.calls.recording`, over a spool directory; encodes in
    threads around ffmpeg.
    """

    def __init__(
        self,
        spool: Path,
        storage: recordings.Storage,
        work_dir: Path,
        format: recordings.Format,  # noqa: A002
        reserve_mb: int = 0,
    ) -> None:
        self._spool, self._storage, self._work_dir, self._format = spool, storage, work_dir, format
        self._reserve = reserve_mb * 1024 * 1024
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="encode")

    async def store(self, recording: Recording, call: Call) -> Recording:
        """Encode and store in a thread; see the port."""
        try:
            pair = recordings.SpoolPair(directory=self._spool, name=recording.spool_name)
        except InvalidName:
            return replace(
                recording,
                state=RecordingState.BROKEN,
                reason=Outcome.of(NoRecordingCode.INVALID_NAME),
            )
        if not recordings.is_settled(pair, quiet_seconds=QUIET_SECONDS, now=time.time()):
            raise StillWriting
        self._check_room()
        loop = asyncio.get_running_loop()
        try:
            made = await loop.run_in_executor(
                self._threads, self._store_pair, pair, recording, call
            )
        except SpoolMissing as error:
            return replace(recording, state=RecordingState.MISSING, reason=reason_of(error))
        except NoSound as error:
            return self._without_sound(pair, recording, call, reason_of(error))
        except BrokenSpool as error:
            return replace(recording, state=RecordingState.BROKEN, reason=reason_of(error))
        except (
            Retryable,
            NotStored,
            OSError,
        ) as error:  # also a storage that said it had stored the file
            raise RecorderBusy(reason_of(error)) from error
        return replace(
            recording,
            state=RecordingState.STORED,
            key=made.key,
            content_type=made.content_type,
            bytes=made.bytes,
            sha256=made.sha256,
            seconds=made.seconds,
            caller_speech_seconds=made.caller.speech_seconds,
            caller_silence_seconds=made.caller.silence_seconds,
            company_speech_seconds=made.company.speech_seconds,
            company_silence_seconds=made.company.silence_seconds,
            talk_over_seconds=made.talk_over_seconds,
            caller_longest_silence_seconds=made.caller.longest_silence_seconds,
            company_longest_silence_seconds=made.company.longest_silence_seconds,
            caller_level_dbfs=made.caller.rms_dbfs,
            company_level_dbfs=made.company.rms_dbfs,
            shared_silence_seconds=made.longest_silence_seconds,
            spans=_spans(made),
            peaks=made.peaks,
            warnings=tuple(warning(found, _moment(found, made)) for found in made.warnings),
        )

    def _check_room(self) -> None:
        """Leave room for the database on the disk of the home. Raises `RecorderBusy`.

        Where the spool is on that disk, too, an encoded recording takes less of it than the spool
        files it replaces.
        """
        home = self._work_dir.parent
        if not self._reserve or home.stat().st_dev == self._spool.stat().st_dev:
            return
        free = shutil.disk_usage(home).free
        if free < self._reserve:
            left = {"megabytes": free // 2**20, "path": str(home)}
            raise RecorderBusy(Outcome.of(NoRecordingCode.DISK_RESERVED, **left))

    async def discard(self, recording: Recording) -> bool:
        """Remove the spool pair, unless there is talk in it: Asterisk records while people are
        connected alone.
        """
        try:
            pair = recordings.SpoolPair(directory=self._spool, name=recording.spool_name)
            if any(file.stat().st_size >= TALK_BYTES for file in pair.files()):
                return False
            recordings.discard(pair)
        except InvalidName:
            return True
        except (Retryable, OSError) as error:
            raise RecorderBusy(reason_of(error)) from error
        return True

    def _store_pair(
        self, pair: recordings.SpoolPair, recording: Recording, call: Call
    ) -> recordings.Recording:
        return recordings.store_pair(
            pair,
            storage=self._storage,
            key=recordings.key_for(pair.name, call.arrived_at, self._format),
            work_dir=self._work_dir,
            format=self._format,
            expected_seconds=recording.expected_seconds,
            course=_course(call),
        )

    def _without_sound(
        self, pair: recordings.SpoolPair, recording: Recording, call: Call, reason: Outcome
    ) -> Recording:
        """Nothing was said: no file is kept, once Asterisk has had the time to write what it
        had.
        """
        if (
            call.ended_at is not None
            and 0 <= time.time() - call.ended_at.timestamp() < EMPTY_SECONDS
        ):
            raise StillWriting
        try:
            recordings.discard(pair)
        except Retryable as error:
            raise RecorderBusy(reason_of(error)) from error
        if call.ending is Ending.CUT:
            reason = Outcome.of(NoRecordingCode.NOTHING_WRITTEN)
        return replace(recording, state=RecordingState.MISSING, reason=reason)

    def close(self) -> None:
        """Wait for encodings under way."""
        self._threads.shutdown(cancel_futures=True)


def reason_of(error: Exception) -> Outcome:
    """Why there is no recording, or not yet."""
    for kind in type(error).__mro__:
        if code := CODES.get(kind):
            return Outcome.of(code, **getattr(error, "facts", {}))
    detail = str(error) or type(error).__name__
    return Outcome.of(NoRecordingCode.FILE_UNUSABLE, detail=detail)


def warning(found: recordings.AudioWarning, moment: float | None = None) -> Outcome:
    """What is said of a flaw that begins at a moment."""
    code = RecordingCode[found.name]
    if moment is None:
        return Outcome.of(code)
    return Outcome.of(code, position=moment)


def _course(call: Call) -> recordings.Course | None:
    """When the call was recorded; None if the clock was set during it."""
    if call.answered_at is None or call.ended_at is None or call.clock_stepped:
        return None
    waits = [period for period in call.periods if period.kind is PeriodKind.TRANSFER]
    return recordings.Course(
        answered_at=call.answered_at.timestamp(),
        ended_at=call.ended_at.timestamp(),
        pauses=tuple((wait.started_at.timestamp(), wait.ended_at.timestamp()) for wait in waits),
    )


def _spans(made: recordings.Recording) -> Spans | None:
    if made.silences is None or made.talk_overs is None:
        return None
    return Spans(silences=made.silences, talk_overs=made.talk_overs)


def _moment(found: recordings.AudioWarning, made: recordings.Recording) -> float | None:
    ends = {
        recordings.AudioWarning.CALLER_ENDS: made.caller.ends_at,
        recordings.AudioWarning.COMPANY_ENDS: made.company.ends_at,
    }
    return ends.get(found)


class StorageReader:
    """The `RecordingReader` of `router.service.ports`, over a storage."""

    def __init__(self, storage: recordings.Storage) -> None:
        self._storage = storage

    async def open(self, recording: Recording, start: int = 0, length: int | None = None) -> Audio:
        """A part of the recording. Raises `NotFound`, `InvalidInput` for a part outside it,
        `Unavailable`.
        """
        if recording.key is None or recording.bytes is None or recording.content_type is None:
            raise NotFound("This call has no recording.")
        if not 0 <= start < recording.bytes:
            raise InvalidInput(
                f"the recording has {recording.bytes} bytes, there is none at {start}"
            )
        part = min(length if length is not None else recording.bytes, recording.bytes - start)
        try:
            await self._storage.stat_async(recording.key)
        except NotStored as error:
            raise NotFound("The recording is no longer in the storage.") from error
        except OutsideRecording as error:
            raise InvalidInput(str(error)) from error
        except RecordingError as error:
            raise Unavailable(str(error)) from error
        return Audio(
            content_type=recording.content_type,
            total=recording.bytes,
            start=start,
            length=part,
            chunks=self._storage.chunks_async(recording.key, start, part),
        )

    async def convert(
        self, recording: Recording, to: DownloadFormat, side: HeardSide | None
    ) -> Converted:
        """The recording in another format, or one side of it. Raises as `open` does."""
        part = recordings.Part(side or recordings.Part.BOTH)
        try:
            recordings.check_converter()
        except RecordingError as error:
            raise Unavailable(str(error)) from error
        audio = await self.open(recording)
        if to is DownloadFormat.WAV:
            seconds = recording.seconds or 0.0
            return Converted(
                content_type="audio/wav",
                length=recordings.wav_bytes(part, seconds),
                chunks=recordings.as_wav(audio.chunks, part, seconds),
            )
        chunks = recordings.as_mp3(audio.chunks, part)
        return Converted(content_type="audio/mpeg", length=None, chunks=chunks)
