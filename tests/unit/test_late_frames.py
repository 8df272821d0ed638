"""The rule in Debian's Asterisk that drops a new RTP stream is found in its program, and nothing
else is touched.
"""

import struct
from pathlib import Path

import pytest

from router.asterisk.late_frames import correct, corrected_launch, find_rule, without_rule

X86, ARM = 62, 183
CODE_AT, ADDRESS = 0x200, 0x401000
# As Debian's 22.10.1 has it: load the last sequence number, compare it with 0xffff, skip the rule
# when above.
X86_CODE = bytes.fromhex("f30f1efa41574989f08b978800000081faffff0000776890908bae80000000")
# The whole rule of that build: load and compare the number, je, jg, count missing frames, drop.
X86_WHOLE = bytes.fromhex(
    "f30f1efa41574989f08b978800000081faffff00007768"
    "8bae8000000039ea0f84060700000f8f0e07000041"
    "89ec4129d44183ec014489e03d008000000f87b3080000418338"
)
X86_FAR = bytes.fromhex("f30f1efa8b87880000003dffff00000f87123400009090909090")
ARM_CODE = struct.pack(
    "<6I", 0xD503233F, 0x529FFFE2, 0xB9408800, 0x6B02001F, 0x54001808, 0xB9408113
)


def program(code: bytes, machine: int, function: bytes = b"ast_translate") -> bytes:
    """A program of one segment, whose dynamic symbols name one function."""
    names = b"\0ast_translate_path_steps\0" + function + b"\0"
    symbols = b"".join(
        struct.pack("<IBBHQQ", name, 0x12, 0, 1, address, len(code))
        for name, address in ((1, ADDRESS + 64), (26, ADDRESS))
    )
    symbols_at, names_at = 0x400, 0x480
    sections = struct.pack("<IIQQQQIIQQ", 0, 11, 0, 0, symbols_at, len(symbols), 1, 0, 8, 24)
    sections += struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, names_at, len(names), 0, 0, 1, 0)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0x500, 0, 64, 56, 1, 64, 2, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, CODE_AT, ADDRESS, ADDRESS, 0x100, 0x100, 4096)
    parts = {
        0: header + segment,
        CODE_AT: code,
        symbols_at: symbols,
        names_at: names,
        0x500: sections,
    }
    whole = bytearray(0x500 + len(sections))
    for at, part in parts.items():
        whole[at : at + len(part)] = part
    return bytes(whole)


@pytest.mark.parametrize(
    ("code", "machine", "offset", "content"),
    [
        (X86_CODE, X86, 21, "eb"),
        (X86_FAR, X86, 15, "90e9"),
        (ARM_CODE, ARM, 16, "c0000014"),
    ],
)
def test_the_skip_of_the_rule_becomes_unconditional(
    code: bytes, machine: int, offset: int, content: str
) -> None:
    before = program(code, machine)
    edit = find_rule(before)
    assert edit is not None
    assert (edit.offset, edit.content.hex()) == (CODE_AT + offset, content)
    after = without_rule(before)
    assert after is not None
    assert [place for place in range(len(before)) if before[place] != after[place]] != []
    assert len(after) == len(before)
    assert find_rule(after) is None, "what is corrected is not corrected again"


@pytest.mark.parametrize(
    "jump", [b"\x77\x68", b"\xeb\x68"], ids=["as built", "as corrected before"]
)
def test_where_the_whole_rule_is_known_it_drops_doubled_frames_alone(jump: bytes) -> None:
    code = X86_WHOLE.replace(b"\x77\x68", jump)
    before = program(code, X86)
    edit = find_rule(before)
    assert edit is not None
    ja, load, jne, test, drop, skip = "7768", "8bae8000000039ea", "0f855a", "85d2", "0f85c9", "eb50"
    assert edit.content.hex() == f"{ja}{load}{jne}000000{test}{drop}080000{skip}"
    assert edit.offset == CODE_AT + 21
    after = without_rule(before)
    assert after is not None
    assert find_rule(after) is None, "what is corrected is not corrected again"
    spoilt = after.replace(b"\x77\x68", b"\xeb\x68")  # by an older Ringtrace
    assert without_rule(spoilt) == after
    other = program(code.replace(b"\x41\x29\xd4", b"\x41\x29\xd5"), X86)
    is_plain = jump[0] == 0xEB
    found = find_rule(other)
    assert (found is None) if is_plain else (found is not None and found.content == b"\xeb")


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"#!/bin/sh\nexec asterisk\n",
        b"\x7fELF\x02\x01\x01",
        program(X86_CODE, X86)[:0x410],
        program(X86_CODE, X86, b"ast_translated"),
        program(X86_CODE, 243),
        program(X86_CODE.replace(b"\xff\xff\0\0", b"\xff\xfe\0\0"), X86),
        program(X86_CODE + X86_CODE, X86),
    ],
)
def test_what_is_not_known_is_left_alone(other: bytes) -> None:
    assert find_rule(other) is None
    assert without_rule(other) is None


def test_an_unpacked_tree_is_corrected_where_it_is(tmp_path: Path) -> None:
    launcher, unpacked = tmp_path / "asterisk", tmp_path / "root/usr/sbin/asterisk"
    unpacked.parent.mkdir(parents=True)
    launcher.write_text("#!/bin/sh\n")
    unpacked.write_bytes(program(X86_CODE, X86))
    unpacked.chmod(0o755)
    assert corrected_launch(launcher) == launcher
    assert find_rule(unpacked.read_bytes()) is None
    assert unpacked.stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in unpacked.parent.iterdir()) == ["asterisk"]


def test_a_program_of_the_system_is_left_as_it_is_and_a_corrected_copy_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGTRACE_CACHE", str(tmp_path / "cache"))
    system = tmp_path / "sbin/asterisk"
    system.parent.mkdir()
    system.write_bytes(program(X86_CODE, X86))
    copy = corrected_launch(system)
    assert copy != system
    assert copy.name == "asterisk"
    assert find_rule(copy.read_bytes()) is None
    assert find_rule(system.read_bytes()) is not None
    assert corrected_launch(system) == copy
    copy.unlink()
    system.write_bytes(copy_free := program(X86_CODE[:10], X86))
    assert corrected_launch(system) == system
    assert system.read_bytes() == copy_free


def test_a_program_without_the_rule_is_not_written(tmp_path: Path) -> None:
    free = tmp_path / "asterisk"
    free.write_bytes(program(X86_CODE[:10], X86))
    free.chmod(0o444)
    assert correct(free) is False
