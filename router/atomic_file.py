"""Files that readers see whole: the old one or the new one, never a part."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, *, mode: int, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` at the end, and is removed if that fails.

    It has the mode and the owner of the file it replaces; a new one has `mode`, and the owner of
    its directory if root writes it. `durable`: also after the machine lost its power.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    # O_EXCL, O_NOFOLLOW and fchown: the directory may belong to another user, who may have left a
    # link by that name
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with open(os.open(temporary, flags, mode), "wb") as file:
            yield file
            _take_after(path, file.fileno())
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, text: str, *, mode: int = 0o640, durable: bool = True) -> None:
    """Write a whole text file; see `replacing`."""
    with replacing(path, mode=mode, durable=durable) as file:
        file.write(text.encode())


def give_to_owner(handle: int, of: Path) -> None:
    """Root gives what it made to the owner of another file or directory."""
    if os.geteuid() == 0:
        owner = of.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _take_after(path: Path, handle: int) -> None:
    if path.exists():
        os.fchmod(handle, path.stat().st_mode & 0o777)  # who could read it can read it again
        give_to_owner(handle, path)
    else:
        give_to_owner(handle, path.parent)
