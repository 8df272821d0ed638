"""ZIP archives that are written while they are sent."""

import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest

from router.errors import Unavailable
from router.exports.zip_file import Entry, zip_chunks, zip_size


def entries(sizes: Sequence[int]) -> list[Entry]:
    async def zeros(size: int) -> AsyncIterator[bytes]:
        for start in range(0, size, 1000):
            yield bytes(min(1000, size - start))

    return [
        Entry(
            name=f"звонок-{number}.mp3",
            at=datetime(1970, 1, 1, tzinfo=UTC),
            size=size,
            chunks=lambda size=size: zeros(size),
        )
        for number, size in enumerate(sizes)
    ]


@pytest.mark.parametrize("sizes", [[], [0], [1, 70_000, 0, 5]])
async def test_the_size_of_an_archive_is_known_before_it_is_written(sizes: list[int]) -> None:
    data = b"".join([chunk async for chunk in zip_chunks(entries(sizes))])
    assert zip_size(entries(sizes)) == len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert [info.file_size for info in file.infolist()] == sizes


async def test_a_file_that_became_shorter_breaks_the_archive_off() -> None:
    async def sound() -> AsyncIterator[bytes]:
        yield b"short"

    entry = Entry(name="a.mp3", at=datetime(2026, 1, 20, tzinfo=UTC), size=10, chunks=sound)
    with pytest.raises(Unavailable, match=r"a.mp3 has 5 bytes, not 10"):
        [chunk async for chunk in zip_chunks([entry])]


async def test_a_reader_who_leaves_ends_the_reading() -> None:
    chunks = zip_chunks(entries([5000]))
    assert await anext(chunks)
    await chunks.aclose()  # type: ignore[attr-defined]
    assert [chunk async for chunk in chunks] == []
