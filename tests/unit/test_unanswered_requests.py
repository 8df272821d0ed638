"""The claim of requests inside a call is found in its module, and nothing else is touched."""

import struct
from pathlib import Path

import pytest

from router.asterisk.late_frames import without_rule
from router.asterisk.unanswered_requests import corrected_modules, find_claim, is_corrected
from router.cli.doctor.asterisk import unanswered
from router.cli.doctor.finding import Case, Level
from router.config import Settings
from router.store.engine import SqlStore

NAME = "res_pjsip_session.so"
# As Debian's 22.10.1 has it.
CLAIM = bytes.fromhex(
    "4d85e4"
    "0f84af000000"
    "4c89e7"
    "e8b7ddfdff"
    "4885c0"
    "0f849e000000"
    "486315b7b90000"
    "488b84d0c0000000"
    "4885c0"
    "0f8486000000"
)


def module(code: bytes, machine: int = 62) -> bytes:
    """A program with this code somewhere in it."""
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HH", 3, machine)
    return head.ljust(64, b"\0") + b"\x90" * 32 + code + b"\x90" * 32


def test_the_branch_without_a_dialog_becomes_unconditional() -> None:
    before = module(CLAIM)
    edit = find_claim(before)
    assert edit is not None
    assert (edit.offset, edit.content.hex()) == (64 + 32 + 3, "90e9")
    after = without_rule(before, find_claim)
    assert after is not None
    assert is_corrected(after)
    assert not is_corrected(before)
    assert find_claim(after) is None


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"\x7fELF",
        b"\x7fELF\x02\x01",
        module(CLAIM, 183),
        module(CLAIM[:30]),
        module(CLAIM + CLAIM),
    ],
)
def test_what_is_not_known_is_left_alone(other: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(other)
    assert corrected_modules(tmp_path) == tmp_path
    assert (tmp_path / NAME).read_bytes() == other


def test_an_unpacked_tree_is_corrected_where_it_is(tmp_path: Path) -> None:
    modules = tmp_path / "root/usr/lib/x/asterisk/modules"
    for path, content in (
        (modules / NAME, module(CLAIM)),
        (tmp_path / "root/usr/sbin/asterisk", b""),
    ):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    assert corrected_modules(modules) == modules
    assert find_claim((modules / NAME).read_bytes()) is None


def test_modules_of_the_system_are_left_as_they_are_and_linked_beside_a_corrected_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGTRACE_CACHE", str(tmp_path / "cache"))
    system = tmp_path / "modules"
    system.mkdir()
    (system / NAME).write_bytes(module(CLAIM))
    (system / "res_other.so").write_bytes(b"other")
    linked = corrected_modules(system)
    assert linked != system
    assert corrected_modules(system) == linked, "the second time, too"
    assert (linked / "res_other.so").read_bytes() == b"other"
    assert find_claim((linked / NAME).read_bytes()) is None
    assert find_claim((system / NAME).read_bytes()) is not None


@pytest.mark.parametrize(
    ("content", "level", "said"),
    [
        (module(CLAIM), Level.WARN, "router.asterisk.unanswered_requests"),
        (without_rule(module(CLAIM), find_claim), Level.OK, ""),
        (module(b""), Level.WARN, "cannot be corrected"),
        (module(CLAIM, 183), Level.WARN, "only for Debian's and Ubuntu's on x86-64"),
    ],
    ids=["claims", "corrected", "unknown", "arm64"],
)
async def test_doctor_says_whether_requests_are_answered_and_what_can_be_done(
    tmp_path: Path, content: bytes, level: Level, said: str
) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / NAME).write_bytes(content)
    (tmp_path / "asterisk.conf").write_text(f"[directories]\nastmoddir => {modules}\n")
    settings = Settings(
        asterisk="external", asterisk_etc_path=str(tmp_path), cel_log_path="/log", home=tmp_path
    )
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path}/ringtrace.db")
    found = await unanswered(Case(settings=settings, store=store, secrets=None))
    await store.close()
    assert found.level is level
    assert said in found.fix
