"""Where finished recordings are kept: a local directory or an S3 bucket behind the same few verbs;
alone knows obstore.

A recording appears in the storage only when it is complete. It is read back and its checksum
compared before the spool is emptied.
"""

import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from recordings.errors import (
    DiskFull,
    InvalidName,
    NotStored,
    OutsideRecording,
    StorageFailed,
    StoredCopyDiffers,
)

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, ObjectMeta
    from obstore.store import ObjectStore

CHUNK_BYTES = 256 * 1024
SIDECAR_SUFFIX = ".json"
_KEY = re.compile(r"(?:(?!\.{1,2}/)[A-Za-z0-9._-]+/)*(?!\.{1,2}$)[A-Za-z0-9._-]+", re.ASCII)
_FULL = ("os error 28", "os error 122", "os error 27")  # ENOSPC, EDQUOT, EFBIG as Rust words them
_OUTSIDE = ("StartTooLarge", "InvalidRange", "416 Range")  # obstore has no class for it


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One recording in the storage; `etag` changes whenever its bytes do (None where the store has
    none).
    """

    key: str
    bytes: int
    etag: str | None
    modified: datetime


class Storage:
    """Recordings by key, such as `2026/11/22/<name>.mp3`.

    Every method may raise InvalidName for a key of other letters than [A-Za-z0-9._-/], and
    StorageFailed.
    """

    def __init__(self, store: "ObjectStore", *, directory: Path | None = None) -> None:
        self._store = store
        self._directory = directory  # of the files, if local: obstore does not fsync

    @classmethod
    def open(cls, location: str | Path, options: Mapping[str, str] | None = None) -> "Storage":
        """Open a directory (made if need be) or a URL: `s3://bucket/prefix`, `file:///…`,
        `memory:///`.

        `options` are S3's: `endpoint`, `region`, `access_key_id`, `secret_access_key` …; what is
        not given is taken from the AWS_… environment variables.
        """
        location = str(location).removeprefix("file://")
        if "://" not in location:
            directory = Path(location).absolute()
            return cls(LocalStore(directory, mkdir=True), directory=directory)
        try:
            if not location.startswith("s3://"):
                return cls(from_url(location))
            store = from_url(
                location,
                config=dict(options or {}),  # type: ignore[call-overload]
                client_options={
                    "allow_http": (options or {}).get("endpoint", "").startswith("http://"),
                    "connect_timeout": "5s",
                    "timeout": "60s",
                },
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            )
        except (BaseError, ValueError) as error:
            raise StorageFailed(
                f"the storage {location} cannot be opened: {error}",
                key=location,
                detail=str(error),
            ) from error
        return cls(store)

    def put(self, key: str, file: Path, *, sha256: str, content_type: str) -> StoredFile:
        """Put a file in the storage, atomically and over any older one, and read it back.

        Raises DiskFull, or StoredCopyDiffers when the copy has another SHA-256 than `sha256`.
        """
        self._put(key, file, content_type)
        digest = hashlib.sha256()
        for chunk in self.chunks(key):
            digest.update(chunk)
        if digest.hexdigest() != sha256:
            self.delete(key)
            raise StoredCopyDiffers
        return self.stat(key)

    def put_sidecar(self, key: str, sidecar: bytes) -> None:
        """Put the facts of a recording beside it."""
        self._put(key + SIDECAR_SUFFIX, sidecar, "application/json")

    def sidecar(self, key: str) -> bytes:
        """The sidecar's bytes; raises NotStored if there is none."""
        with _typed(key):
            return bytes(obstore.get(self._store, key + SIDECAR_SUFFIX).bytes())

    def stat(self, key: str) -> StoredFile:
        """Size and version of a recording. Raises NotStored."""
        with _typed(key):
            return _stored_file(obstore.head(self._store, key))

    async def stat_async(self, key: str) -> StoredFile:
        """`stat` for an event loop."""
        with _typed(key):
            return _stored_file(await obstore.head_async(self._store, key))

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """`length` bytes from `start`, fewer at the end. Raises NotStored and OutsideRecording."""
        return b"".join(self.chunks(key, start, length))

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The same bytes in chunks of 256 KB."""
        with _typed(key):
            answer = obstore.get(self._store, key, options=_range(start, length))
            yield from map(bytes, answer.stream(CHUNK_BYTES))

    async def chunks_async(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """`chunks` for an event loop."""
        with _typed(key):
            answer = await obstore.get_async(self._store, key, options=_range(start, length))
            async for chunk in answer.stream(CHUNK_BYTES):
                yield bytes(chunk)

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """Every recording whose key begins with the folders of `prefix`, such as `2026/11`."""
        with _typed(prefix or "all"):
            for page in obstore.list(self._store, prefix or None):
                yield from (
                    _stored_file(meta) for meta in page if not meta["path"].endswith(SIDECAR_SUFFIX)
                )

    def delete(self, key: str) -> None:
        """Remove a recording and its sidecar; a missing one is no error."""
        for each in (key, key + SIDECAR_SUFFIX):
            with suppress(NotStored), _typed(key):
                obstore.delete(self._store, each)

    def _put(self, key: str, content: Path | bytes, content_type: str) -> None:
        attributes: Attributes = (
            {} if isinstance(self._store, LocalStore) else {"Content-Type": content_type}
        )
        with _typed(key):
            # of 5 MB each
            obstore.put(self._store, key, content, attributes=attributes, max_concurrency=2)
        if self._directory:
            _make_durable(self._directory, self._directory / key)


def _make_durable(top: Path, file: Path) -> None:
    """Sync a file and its directories to the disk, and remove what interrupted writers left
    beside it.
    """
    # how obstore names what is being written
    leftovers = (file.with_name(f"{file.name}#{n}") for n in count(1))
    for leftover in takewhile(Path.exists, leftovers):
        leftover.unlink(missing_ok=True)
    folders = [folder for folder in file.parents if folder == top or top in folder.parents]
    for path in (file, *folders):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _range(start: int, length: int | None) -> "GetOptions":
    if length is None:
        return {"range": {"offset": start}} if start else {}
    return {"range": (start, start + length)}


def _stored_file(meta: "ObjectMeta") -> StoredFile:
    return StoredFile(
        key=meta["path"], bytes=meta["size"], etag=meta["e_tag"], modified=meta["last_modified"]
    )


@contextmanager
def _typed(key: str) -> Iterator[None]:
    """Check a key, and raise our own errors for obstore's."""
    if not _KEY.fullmatch(key):
        raise InvalidName
    try:
        yield
    except (BaseError, OSError) as error:
        text = str(error)
        if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in text:
            raise NotStored from error
        if any(words in text for words in _FULL):
            raise DiskFull from error
        if any(words in text for words in _OUTSIDE):
            raise OutsideRecording from error
        raise StorageFailed(
            f"the storage failed with {key}: {text}", key=key, detail=text
        ) from error
