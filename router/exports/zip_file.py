"""ZIP archives of recordings, written while they are sent: stored, for sound is compressed already.

All sizes are known before the first byte, so that browsers show how much is left.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import PurePosixPath
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from router.errors import Unavailable
from router.exports.csv_file import BOM, csv_rows
from router.service.calls.recordings_export import Part, Planned

CONTENT_TYPE = "application/zip"
LARGEST = 2**31 - 1  # bytes of an archive whose frame has one form
MANIFEST = "manifest.csv"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_FIRST_YEAR = 1980  # of the format
_TITLES = (
    "file", "call_id", "arrived_at", "caller", "number", "site_id", "seconds", "bytes", "sha256",
    "missing",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of an archive."""

    name: str
    at: datetime  # in the reader's zone
    size: int  # bytes
    chunks: Callable[[], AsyncIterator[bytes]]


class _Sink:
    """What a ZIP file is written into, and taken out of by the sender."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes, /) -> int:
        """Keep it until it is taken."""
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        """What was written since."""
        taken = bytes(self._written)
        self._written.clear()
        return taken


def entries_of(part: Part, zone: tzinfo, now: datetime) -> list[Entry]:
    """The manifest, and the recordings of a part."""
    named = [(file_name(planned, zone), planned) for planned in part.planned]
    manifest = BOM + csv_rows([_TITLES, *(_manifest_row(name, each) for name, each in named)])

    async def of_manifest() -> AsyncIterator[bytes]:
        yield manifest

    first = Entry(name=MANIFEST, at=now.astimezone(zone), size=len(manifest), chunks=of_manifest)
    sounds = [
        Entry(
            name=name,
            at=planned.call.arrived_at.astimezone(zone),
            size=planned.audio.length,
            chunks=planned.audio.chunks.__aiter__,
        )
        for name, planned in named
        if planned.audio is not None
    ]
    return [first, *sounds]


def file_name(planned: Planned, zone: tzinfo) -> str:
    """Date, caller and call in safe letters: `2026-01-20_140305_79161234567_pbx-1.5.mp3`."""
    at = planned.call.arrived_at.astimezone(zone)
    who = (planned.call.caller or "anonymous").removeprefix("+")
    suffix = PurePosixPath(planned.recording.key or "").suffix or ".mp3"
    return _UNSAFE.sub("-", f"{at:%Y-%m-%d_%H%M%S}_{who}_{planned.call.id}{suffix}")


def _manifest_row(name: str, planned: Planned) -> tuple[str | int | float | None, ...]:
    call, recording = planned.call, planned.recording
    if not planned.audio:
        name = ""
    return (
        name,
        call.id,
        call.arrived_at.isoformat(),
        call.caller or call.caller_raw,
        call.number,
        call.site_id,
        recording.seconds,
        recording.bytes,
        recording.sha256,
        planned.why_missing,
    )


def zip_size(entries: Sequence[Entry]) -> int | None:
    """The bytes of the archive: those of one of empty files, and those of the files. None if it is
    so large that its frame depends on the sizes.
    """
    total = sum(entry.size for entry in entries)
    if total > LARGEST // 2:
        return None
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED) as archive:
        for entry in entries:
            with archive.open(_info(entry), "w"):
                pass
    return len(sink.take()) + total


async def zip_chunks(entries: Iterable[Entry]) -> AsyncIterator[bytes]:
    """The archive. Raises `Unavailable` for a file that is not as long as it was."""
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED) as archive:
        for entry in entries:
            size = 0
            with archive.open(_info(entry), "w") as member:
                async for chunk in entry.chunks():
                    member.write(chunk)
                    size += len(chunk)
                    yield sink.take()
            if size != entry.size:
                raise Unavailable(f"{entry.name} has {size} bytes, not {entry.size}")
    yield sink.take()


def _info(entry: Entry) -> ZipInfo:
    at = entry.at.replace(year=max(entry.at.year, _FIRST_YEAR))
    info = ZipInfo(entry.name, at.timetuple()[:6])
    info.external_attr = 0o644 << 16
    info.file_size = entry.size
    return info
