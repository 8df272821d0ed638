"""The storage's verbs, the same for a directory and for obstore's store in memory."""

import hashlib
from pathlib import Path

import pytest

from recordings import Storage
from recordings.errors import (
    InvalidName,
    NotStored,
    OutsideRecording,
    StorageFailed,
    StoredCopyDiffers,
)

KEY = "2026/11/22/pbx-1768912345.42.mp3"
CONTENT = bytes(range(256)) * 4000
MP3 = "audio/mpeg"


@pytest.fixture(params=["directory", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return Storage.open(tmp_path / "storage" if request.param == "directory" else "memory:///")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def put(storage: Storage, file: Path, key: str = KEY) -> None:
    storage.put(key, file, sha256=hashlib.sha256(file.read_bytes()).hexdigest(), content_type=MP3)


def test_what_was_put_is_given_back(storage: Storage, file: Path) -> None:
    put(storage, file)
    assert storage.read(KEY) == CONTENT
    assert storage.stat(KEY).bytes == len(CONTENT)


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (5, 10), (1000, 300_000), (len(CONTENT) - 3, 100), (7, None)]
)
async def test_a_range_is_read_alone(
    storage: Storage, file: Path, start: int, length: int | None
) -> None:
    put(storage, file)
    wanted = CONTENT[start:][:length]
    assert storage.read(KEY, start, length) == wanted
    assert b"".join([chunk async for chunk in storage.chunks_async(KEY, start, length)]) == wanted
    assert (await storage.stat_async(KEY)) == storage.stat(KEY)


@pytest.mark.parametrize("start", [len(CONTENT), len(CONTENT) + 5])
async def test_a_range_behind_the_end_is_an_error_of_its_own(
    storage: Storage, file: Path, start: int
) -> None:
    put(storage, file)
    with pytest.raises(OutsideRecording):
        storage.read(KEY, start, 10)
    with pytest.raises(OutsideRecording):
        [chunk async for chunk in storage.chunks_async(KEY, start)]


async def test_what_is_not_there_is_reported(storage: Storage) -> None:
    for ask in (storage.stat, storage.read, storage.sidecar):
        with pytest.raises(NotStored):
            ask(KEY)
    with pytest.raises(NotStored):
        await storage.stat_async(KEY)
    with pytest.raises(NotStored):
        [chunk async for chunk in storage.chunks_async(KEY)]


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/..", "a#1", "a b", "a\n", "я"]
)
def test_a_key_that_could_leave_the_storage_is_refused(
    storage: Storage, file: Path, key: str
) -> None:
    for act in (storage.stat, storage.read, storage.delete, lambda key: put(storage, file, key)):
        with pytest.raises(InvalidName):
            act(key)


def test_a_copy_with_another_checksum_does_not_stay(storage: Storage, file: Path) -> None:
    with pytest.raises(StoredCopyDiffers):
        storage.put(
            KEY, file, sha256=hashlib.sha256(b"what was meant").hexdigest(), content_type=MP3
        )
    with pytest.raises(NotStored):
        storage.stat(KEY)


def test_a_second_put_replaces_the_first_and_its_etag(storage: Storage, file: Path) -> None:
    put(storage, file)
    first = storage.stat(KEY)
    file.write_bytes(b"shorter")
    put(storage, file)
    assert storage.read(KEY) == b"shorter"
    assert storage.stat(KEY).etag != first.etag


def test_a_label_lies_beside_its_recording_and_goes_with_it(storage: Storage, file: Path) -> None:
    put(storage, file)
    storage.put_sidecar(KEY, b"{}")
    assert storage.sidecar(KEY) == b"{}"
    storage.delete(KEY)
    storage.delete(KEY)
    for ask in (storage.stat, storage.sidecar):
        with pytest.raises(NotStored):
            ask(KEY)


def test_the_list_holds_recordings_by_folder_and_no_labels(storage: Storage, file: Path) -> None:
    keys = ["2026/11/21/a.mp3", "2026/11/22/b.mp3", "2026/12/01/c.mp3"]
    for key in keys:
        put(storage, file, key)
        storage.put_sidecar(key, b"{}")
    assert sorted(each.key for each in storage.list()) == keys
    assert sorted(each.key for each in storage.list("2026/11")) == keys[:2]
    assert list(storage.list("2027")) == []


def test_what_a_killed_writer_left_beside_a_file_is_cleared(tmp_path: Path, file: Path) -> None:
    storage = Storage.open(tmp_path / "storage")
    leftover = tmp_path / "storage" / f"{KEY}#1"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half of it")
    assert list(storage.list()) == []
    put(storage, file)
    assert [path.name for path in leftover.parent.iterdir()] == [Path(KEY).name]


def test_a_storage_is_the_same_by_path_and_by_url(tmp_path: Path, file: Path) -> None:
    put(Storage.open(tmp_path / "storage"), file)
    assert Storage.open(f"file://{tmp_path}/storage").read(KEY) == CONTENT


def test_a_location_of_no_known_kind_is_refused() -> None:
    with pytest.raises(StorageFailed, match="gopher"):
        Storage.open("gopher://storage")
