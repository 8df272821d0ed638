"""The embedded Asterisk's own user: where root can hand over to it, and what it is given."""

import os
import tempfile
from pathlib import Path

import pytest

from router.asterisk import user
from router.asterisk.user import NUMBERS, User, choose_user, first_closed, hand_over


def test_a_way_on_which_one_directory_is_closed_to_others_is_named() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        top = Path(made)
        (top / "home/program").mkdir(parents=True)
        top.chmod(0o755)
        assert first_closed([top / "home/program/asterisk"]) is None
        (top / "home").chmod(0o700)
        assert first_closed([top, top / "home/program/asterisk"]) == top / "home"


def test_the_user_of_a_home_is_always_the_same_and_never_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(user, "NAMES", ("no-such-user",))
    chosen = choose_user(Path("/srv/ringtrace"))
    assert chosen == choose_user(Path("/srv/ringtrace")) != choose_user(Path("/srv/another"))
    assert chosen.uid in NUMBERS
    monkeypatch.setattr(user, "NAMES", ("no-such-user", "daemon"))
    assert choose_user(Path("/srv/ringtrace")) == User(uid=1, gid=1)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone gives files away")
def test_links_are_given_and_not_what_they_lead_to(tmp_path: Path) -> None:
    given, kept = tmp_path / "given", tmp_path / "kept"
    (given / "deep").mkdir(parents=True)
    (kept / "deep").mkdir(parents=True)
    (given / "deep/file").touch()
    (kept / "secret").touch()
    (given / "link").symlink_to(kept)
    (given / "deep/link").symlink_to(kept / "secret")
    hand_over([given, tmp_path / "missing"], User(uid=64_000, gid=64_001))
    mine = [given, given / "deep", given / "deep/file", given / "link", given / "deep/link"]
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in mine} == {(64_000, 64_001)}
    assert {path.stat().st_uid for path in (kept, kept / "deep", kept / "secret")} == {0}
