"""Files that readers see whole."""

import os
from pathlib import Path

import pytest

from router.atomic_file import replacing, write_whole


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path, mode=0o600) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_could_not_be_written_leaves_the_old_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), replacing(path, mode=0o600) as file:  # noqa: PT012
        file.write(b"a part")
        raise OSError("full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_replaced_file_keeps_its_mode_and_a_new_one_has_the_mode_asked_for(
    tmp_path: Path,
) -> None:
    old = tmp_path / "old"
    old.touch()
    old.chmod(0o644)
    write_whole(old, "x", mode=0o600)
    write_whole(tmp_path / "new", "x", mode=0o600)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("old", "new")]
    assert modes == [0o644, 0o600]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_whom_it_belonged(tmp_path: Path) -> None:
    os.chown(tmp_path, 4001, 4002)
    path = tmp_path / "file"
    write_whole(path, "first")
    assert (path.stat().st_uid, path.stat().st_gid) == (4001, 4002)
    os.chown(path, 4003, 4004)
    write_whole(path, "second")
    assert (path.stat().st_uid, path.stat().st_gid) == (4003, 4004)


def test_a_link_that_a_stranger_left_is_not_followed(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_text("theirs")
    (tmp_path / f".file.{os.getpid()}").symlink_to(victim)
    write_whole(path, "ours")
    assert (victim.read_text(), path.read_text()) == ("theirs", "ours")
