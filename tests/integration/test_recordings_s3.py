"""The storage in an S3 bucket: the same verbs against a server that speaks S3, on loopback."""

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recordings import Storage, recall, store_pair
from recordings.errors import NotStored, OutsideRecording, StorageFailed
from router.bootstrap import open_storage
from router.config import Settings
from tests.support.recordings_sounds import babble, spool_pair, tone

boto3 = pytest.importorskip("boto3")
server = pytest.importorskip("moto.server")
KEY = "2026/11/22/pbx-1768912345.42.mp3"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def options(endpoint: str) -> dict[str, str]:
    return {
        "endpoint": endpoint,
        "region": "us-east-1",
        "access_key_id": "test",
        "secret_access_key": "test",
    }


@pytest.fixture
def client(options: dict[str, str]) -> Any:
    """Another client's view of the server."""
    return boto3.client(
        "s3",
        endpoint_url=options["endpoint"],
        region_name=options["region"],
        aws_access_key_id=options["access_key_id"],
        aws_secret_access_key=options["secret_access_key"],
    )


@pytest.fixture
def bucket(client: Any) -> str:
    name = f"recordings-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def storage(bucket: str, options: dict[str, str]) -> Storage:
    return Storage.open(f"s3://{bucket}/calls", options)


def test_the_storage_of_the_settings_may_be_an_s3_of_ones_own(
    bucket: str, options: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", options["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", options["secret_access_key"])
    settings = Settings(
        home=tmp_path, storage_url=f"s3://{bucket}/calls", storage_endpoint=options["endpoint"]
    )
    sound = tmp_path / "x.mp3"
    sound.write_bytes(b"sound")
    put = open_storage(settings).put(
        KEY, sound, sha256=hashlib.sha256(b"sound").hexdigest(), content_type="audio/mpeg"
    )
    assert put.bytes == 5


def test_a_call_is_stored_in_a_bucket(storage: Storage, tmp_path: Path) -> None:
    pair = spool_pair(tmp_path / "spool", babble(5), tone(5))
    recording = store_pair(pair, storage=storage, key=KEY, work_dir=tmp_path / "work")
    assert hashlib.sha256(storage.read(KEY)).hexdigest() == recording.sha256
    assert recall(storage, KEY) == recording
    assert pair.files() == ()
    assert store_pair(pair, storage=storage, key=KEY, work_dir=tmp_path / "work") == recording


async def test_ranges_lists_and_deletions_are_as_on_a_disk(
    storage: Storage, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    content = bytes(range(256)) * 40_000  # 10 MB: goes up in parts
    file.write_bytes(content)
    put = storage.put(
        KEY, file, sha256=hashlib.sha256(content).hexdigest(), content_type="audio/mpeg"
    )
    assert put.bytes == len(content)
    assert put.etag == (await storage.stat_async(KEY)).etag
    assert storage.read(KEY, 1000, 300) == content[1000:1300]
    assert (
        b"".join([chunk async for chunk in storage.chunks_async(KEY, len(content) - 9)])
        == content[-9:]
    )
    with pytest.raises(OutsideRecording):
        storage.read(KEY, len(content), 1)
    assert [each.key for each in storage.list("2026/11")] == [KEY]
    storage.delete(KEY)
    storage.delete(KEY)
    with pytest.raises(NotStored):
        storage.stat(KEY)


def test_the_bucket_itself_knows_the_media_type_and_holds_the_key_below_its_prefix(
    storage: Storage, bucket: str, client: Any, tmp_path: Path
) -> None:
    store_pair(
        spool_pair(tmp_path / "spool", babble(1), tone(1)),
        storage=storage,
        key=KEY,
        work_dir=tmp_path / "work",
    )
    assert client.head_object(Bucket=bucket, Key=f"calls/{KEY}")["ContentType"] == "audio/mpeg"


def test_a_bucket_that_is_not_there_leaves_the_spool_untouched(
    options: dict[str, str], tmp_path: Path
) -> None:
    pair = spool_pair(tmp_path / "spool", babble(1), tone(1))
    storage = Storage.open("s3://no-such-bucket", options)
    with pytest.raises(StorageFailed, match="NoSuchBucket"):
        store_pair(pair, storage=storage, key=KEY, work_dir=tmp_path / "work")
    assert len(pair.files()) == 2
    with pytest.raises(StorageFailed, match="NoSuchBucket"):
        recall(storage, KEY)


def test_a_server_that_is_down_leaves_the_spool_untouched(
    options: dict[str, str], tmp_path: Path
) -> None:
    pair = spool_pair(tmp_path / "spool", babble(1), tone(1))
    down = Storage.open("s3://calls", {**options, "endpoint": "http://127.0.0.1:1"})
    with pytest.raises(StorageFailed):
        store_pair(pair, storage=down, key=KEY, work_dir=tmp_path / "work")
    assert len(pair.files()) == 2
