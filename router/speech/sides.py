"""Takes the sides out of stored recordings, for any engine."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import recordings
from recordings.errors import EncoderFailed, InvalidName, NotStored, RecordingError
from router.domain.calls.call import Recording
from router.domain.calls.transcript import Side, pieces
from router.domain.calls.transcript_codes import TranscriptCode
from router.service.calls.transcription_ports import Piece
from router.service.delivery.outcomes import ReceiverUnavailable, Refused


class StoredSides:
    """The `Sides` of `router.service.calls.transcription_ports`, over a storage."""

    def __init__(self, storage: recordings.Storage, work_dir: Path) -> None:
        self._storage, self._work_dir = storage, work_dir

    @asynccontextmanager
    async def open(self, recording: Recording) -> AsyncIterator[Sequence[Piece]]:
        """The pieces of both sides, decoded in a thread; see the port."""
        with tempfile.TemporaryDirectory(prefix="speech-", dir=self._made_work_dir()) as directory:
            try:
                found = await asyncio.to_thread(self._take, recording, Path(directory))
            except NotStored as error:
                raise Refused(TranscriptCode.NO_RECORDING) from error
            except (EncoderFailed, InvalidName) as error:
                raise Refused(TranscriptCode.NOT_DECODED, detail=str(error)) from error
            except (RecordingError, OSError) as error:
                raise ReceiverUnavailable(
                    TranscriptCode.STORAGE_FAILED, detail=str(error) or type(error).__name__
                ) from error
            yield found

    def _made_work_dir(self) -> Path:
        self._work_dir.mkdir(parents=True, exist_ok=True)
        return self._work_dir

    def _take(self, recording: Recording, directory: Path) -> list[Piece]:
        source = directory / "whole"
        with source.open("wb") as file:
            for chunk in self._storage.chunks(recording.key or ""):
                file.write(chunk)
        peaks = dict(zip(Side, recording.peaks, strict=False))
        found: list[Piece] = []
        for channel, side in enumerate(Side):
            for start, end in pieces(recording.seconds or 0.0, peaks.get(side, ())):
                path = directory / f"{side}-{len(found)}.mp3"
                piece = Piece(path=path, side=side, start=start, seconds=end - start)
                recordings.take_side(
                    source, path, channel=channel, start=start, seconds=piece.seconds
                )
                found.append(piece)
        return found
