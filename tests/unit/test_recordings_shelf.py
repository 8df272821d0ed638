"""The shelf's verbs, the same for a directory and for obstore's store in memory."""

import hashlib
from pathlib import Path

import pytest

from recordings import Shelf
from recordings.errors import (
    InvalidName,
    NotOnShelf,
    OutsideRecording,
    ShelfCopyDiffers,
    ShelfFailed,
)

KEY = "2026/11/22/pbx-1768912345.42.mp3"
CONTENT = bytes(range(256)) * 4000
MP3 = "audio/mpeg"


@pytest.fixture(params=["directory", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return Shelf.open(tmp_path / "shelf" if request.param == "directory" else "memory:///")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def put(shelf: Shelf, file: Path, key: str = KEY) -> None:
    shelf.put(key, file, sha256=hashlib.sha256(file.read_bytes()).hexdigest(), content_type=MP3)


def test_what_was_put_is_given_back(shelf: Shelf, file: Path) -> None:
    put(shelf, file)
    assert shelf.read(KEY) == CONTENT
    assert shelf.stat(KEY).bytes == len(CONTENT)


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (5, 10), (1000, 300_000), (len(CONTENT) - 3, 100), (7, None)]
)
async def test_a_range_is_read_alone(
    shelf: Shelf, file: Path, start: int, length: int | None
) -> None:
    put(shelf, file)
    wanted = CONTENT[start:][:length]
    assert shelf.read(KEY, start, length) == wanted
    assert b"".join([chunk async for chunk in shelf.chunks_async(KEY, start, length)]) == wanted
    assert (await shelf.stat_async(KEY)) == shelf.stat(KEY)


@pytest.mark.parametrize("start", [len(CONTENT), len(CONTENT) + 5])
async def test_a_range_behind_the_end_is_an_error_of_its_own(
    shelf: Shelf, file: Path, start: int
) -> None:
    put(shelf, file)
    with pytest.raises(OutsideRecording):
        shelf.read(KEY, start, 10)
    with pytest.raises(OutsideRecording):
        [chunk async for chunk in shelf.chunks_async(KEY, start)]


async def test_what_is_not_there_is_told_so(shelf: Shelf) -> None:
    for ask in (shelf.stat, shelf.read, shelf.sidecar):
        with pytest.raises(NotOnShelf):
            ask(KEY)
    with pytest.raises(NotOnShelf):
        await shelf.stat_async(KEY)
    with pytest.raises(NotOnShelf):
        [chunk async for chunk in shelf.chunks_async(KEY)]


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/..", "a#1", "a b", "a\n", "я"]
)
def test_a_key_that_could_leave_the_shelf_is_refused(shelf: Shelf, file: Path, key: str) -> None:
    for act in (shelf.stat, shelf.read, shelf.delete, lambda key: put(shelf, file, key)):
        with pytest.raises(InvalidName):
            act(key)


def test_a_copy_with_another_checksum_does_not_stay(shelf: Shelf, file: Path) -> None:
    with pytest.raises(ShelfCopyDiffers):
        shelf.put(KEY, file, sha256=hashlib.sha256(b"what was meant").hexdigest(), content_type=MP3)
    with pytest.raises(NotOnShelf):
        shelf.stat(KEY)


def test_a_second_put_replaces_the_first_and_its_etag(shelf: Shelf, file: Path) -> None:
    put(shelf, file)
    first = shelf.stat(KEY)
    file.write_bytes(b"shorter")
    put(shelf, file)
    assert shelf.read(KEY) == b"shorter"
    assert shelf.stat(KEY).etag != first.etag


def test_a_label_lies_beside_its_recording_and_goes_with_it(shelf: Shelf, file: Path) -> None:
    put(shelf, file)
    shelf.put_sidecar(KEY, b"{}")
    assert shelf.sidecar(KEY) == b"{}"
    shelf.delete(KEY)
    shelf.delete(KEY)
    for ask in (shelf.stat, shelf.sidecar):
        with pytest.raises(NotOnShelf):
            ask(KEY)


def test_the_list_holds_recordings_by_folder_and_no_labels(shelf: Shelf, file: Path) -> None:
    keys = ["2026/11/21/a.mp3", "2026/11/22/b.mp3", "2026/12/01/c.mp3"]
    for key in keys:
        put(shelf, file, key)
        shelf.put_sidecar(key, b"{}")
    assert sorted(each.key for each in shelf.list()) == keys
    assert sorted(each.key for each in shelf.list("2026/11")) == keys[:2]
    assert list(shelf.list("2027")) == []


def test_what_a_killed_writer_left_beside_a_file_is_cleared(tmp_path: Path, file: Path) -> None:
    shelf = Shelf.open(tmp_path / "shelf")
    leftover = tmp_path / "shelf" / f"{KEY}#1"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half of it")
    assert list(shelf.list()) == []
    put(shelf, file)
    assert [path.name for path in leftover.parent.iterdir()] == [Path(KEY).name]


def test_a_shelf_is_the_same_by_path_and_by_url(tmp_path: Path, file: Path) -> None:
    put(Shelf.open(tmp_path / "shelf"), file)
    assert Shelf.open(f"file://{tmp_path}/shelf").read(KEY) == CONTENT


def test_a_location_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ShelfFailed, match="gopher"):
        Shelf.open("gopher://shelf")
