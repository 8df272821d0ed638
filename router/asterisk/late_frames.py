"""Removes from Debian's Asterisk a rule that drops audio when a phone begins a new RTP stream.

Debian and Ubuntu build Asterisk with a patch for packet loss that is not upstream's
(`enable_native_plc.patch`, of asterisk-opus). It makes `ast_translate` drop every frame whose
sequence number is up to 32,767 below the previous one, as a late packet. But a sequence number
belongs to one stream: after a transfer, a hold, a re-INVITE or a fail-over the next stream starts
at a random number, and in half of the cases nothing is translated for minutes. The recorder
translates every frame, so that side is missing from the recording; if the two legs have different
codecs, the people do not hear each other either.

The rule begins with a comparison that skips it for the first frame of a translation. Here the skip
becomes unconditional: one instruction, after which frames are translated as upstream's Asterisk
translates them. Where the rest of the rule is compiled as in Debian's and Ubuntu's x86-64 builds of
22, it drops instead a frame whose sequence number is that of the previous one: a packet that the
network doubled, which upstream's Asterisk records twice. Frames without a number (0) pass.

Run it by hand, as root, for an Asterisk that Ringtrace does not start: `python -m
router.asterisk.late_frames PROGRAM`.
"""

import hashlib
import os
import re
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

_FUNCTION = b"ast_translate"
_SEARCHED = 128  # bytes of the function: the rule is its first statement
_X86_64, _AARCH64 = 62, 183
_DYNAMIC_SYMBOLS, _LOADED = 11, 1
# cmp $0xffff, register; then ja, near or far
_X86_RULE = re.compile(rb"(?:\x3d|\x41?\x81[\xf8-\xff])\xff\xff\x00\x00(\x77|\x0f\x87)", re.DOTALL)
# cmp $0xffff, last; ja, or jmp as corrected; load the number; cmp number, last
_X86_NUMBERS = rb"\x81\xfa\xff\xff\x00\x00[\x77\xeb](.)\x8b\xae\x80\x00\x00\x00\x39\xea"
# je; jg; compute the missing frames; cmp $0x8000; ja to the drop
_X86_WHOLE = re.compile(
    _X86_NUMBERS
    + rb"\x0f\x84....\x0f\x8f....\x41\x89\xec\x41\x29\xd4\x41\x83\xec\x01\x44\x89\xe0"
    + rb"\x3d\x00\x80\x00\x00\x0f\x87(....)",
    re.DOTALL,
)
# mov $32768, size; mode 0; the buffer; call setvbuf: in ast_writefile
_X86_BUFFER = re.compile(rb"\xb9(\x00\x80\x00\x00)\x31\xd2\x48\x89\xc6\xe8")
_FRAME_BYTES = 320
# cmp $100, lead; jle past the flush; is debug above 3: in ast_audiohook_write_frame
_X86_FLUSH = re.compile(rb"\x83\xf8\x64(\x7e).\x83\x3d....\x03\x0f\x8f", re.DOTALL)
_JMP = b"\xeb"
_JA = 0x77
# jne past the rule; test last; jne to the drop
_X86_DONE = re.compile(_X86_NUMBERS + rb"\x0f\x85....\x85\xd2\x0f\x85", re.DOTALL)


class Edit(NamedTuple):
    """Replacement bytes at an offset of the program's file."""

    offset: int
    content: bytes


def find_rule(program: bytes) -> Edit | None:
    """The edit that makes the skip unconditional; None if the program has no such rule, or an
    unknown form of it.
    """
    try:
        machine = 0
        if program.startswith(b"\x7fELF\x02\x01"):
            machine = struct.unpack_from("<H", program, 18)[0]

        start = _offset_of_function(program)
    except (struct.error, IndexError):
        return None
    if start is None:
        return None
    code = program[start : start + _SEARCHED]
    found = {_X86_64: _x86_edits, _AARCH64: _arm_edits}.get(machine, lambda _: iter(()))(code)
    edits = [Edit(start + edit.offset, edit.content) for edit in found]
    if len(edits) == 1:
        return edits[0]
    return None


def find_buffer(program: bytes) -> Edit | None:
    """The edit that makes Asterisk write each frame of a recording at once, instead of two seconds
    together, so that the agent sees when none comes; None if it is done, or in an unknown form.
    """
    found = list(_X86_BUFFER.finditer(program))
    if len(found) != 1:
        return None
    return Edit(found[0].start(1), struct.pack("<I", _FRAME_BYTES))


def find_flush(program: bytes) -> Edit | None:
    """The edit that lets MixMonitor keep the sound of both sides when one is more than 100 ms ahead
    of the other, after RTP or the machine stood still; above 500 ms it still starts again. None if
    it is done, or in an unknown form.
    """
    found = list(_X86_FLUSH.finditer(program))
    if len(found) != 1:
        return None
    return Edit(found[0].start(1), _JMP)


def without_rule(program: bytes, find: Callable[[bytes], Edit | None] = find_rule) -> bytes | None:
    """The corrected program; None if no correction is needed."""
    edit = find(program)
    if edit is None:
        return None
    return program[: edit.offset] + edit.content + program[edit.offset + len(edit.content) :]


CORRECTIONS = (find_rule, find_buffer, find_flush)


def correct(
    program: Path, into: Path | None = None, find: Callable[[bytes], Edit | None] = find_rule
) -> bool:
    """Correct the program in place, or `into` another file; returns whether it was needed. A
    running Asterisk is not affected. Raises OSError.
    """
    content = without_rule(program.read_bytes(), find)
    if content is None:
        return False
    target = into or program
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        part.chmod(program.stat().st_mode)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return True


def corrected_launch(launch: Path) -> Path:
    """The corrected launcher; `launch` itself if no correction is needed or possible. A tree from
    asterisk.sh is corrected in place; of a system program a copy is kept in the cache.
    """
    with suppress(OSError):
        unpacked = launch.resolve().parent / "root/usr/sbin/asterisk"
        if unpacked.exists():
            for find in CORRECTIONS:
                correct(unpacked, find=find)
            return launch
        content = launch.resolve().read_bytes()
        if find_rule(content):
            copy = (
                cache_directory() / f"corrected-{hashlib.sha256(content).hexdigest()[:16]}/asterisk"
            )
            if not copy.exists() and not correct(launch.resolve(), copy):
                return launch
            for find in CORRECTIONS:
                correct(copy, find=find)
            return copy
    return launch


def cache_directory() -> Path:
    """The cache directory, shared with asterisk.sh."""
    named, shared = os.environ.get("RINGTRACE_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if named:
        cache = Path(named)
    else:
        cache = Path(shared or Path.home() / ".cache") / "ringtrace"

    if not (named or shared or cache.exists()) and os.geteuid() == 0:
        # root's own home is closed to the user that Asterisk runs as
        return Path("/var/cache/ringtrace")
    return cache


def _offset_of_function(program: bytes) -> int | None:
    """The file offset of ast_translate."""
    sections_at, count = (
        struct.unpack_from("<Q", program, 40)[0],
        struct.unpack_from("<H", program, 60)[0],
    )
    sections = []
    for index in range(count):
        sections.append(struct.unpack_from("<IIQQQQII", program, sections_at + 64 * index))

    for _, kind, _, _, symbols_at, size, link, _ in sections:
        if kind != _DYNAMIC_SYMBOLS:
            continue
        names_at = sections[link][4]
        for at in range(symbols_at, symbols_at + size, 24):
            name, _, _, _, address = struct.unpack_from("<IBBHQ", program, at)
            if program.startswith(_FUNCTION + b"\0", names_at + name):
                return _offset_of_address(program, address)
    return None


def _offset_of_address(program: bytes, address: int) -> int | None:
    segments_at, count = (
        struct.unpack_from("<Q", program, 32)[0],
        struct.unpack_from("<H", program, 56)[0],
    )
    for index in range(count):
        kind, _, offset, begins, _, size = struct.unpack_from(
            "<IIQQQQ", program, segments_at + 56 * index
        )
        if kind == _LOADED and begins <= address < begins + size:
            return int(offset + address - begins)
    return None


def _x86_edits(code: bytes) -> Iterator[Edit]:
    if done := _X86_DONE.search(code):
        at = done.start(1) - 1
        if code[at] != _JA:  # an older Ringtrace made it unconditional since
            yield Edit(at, bytes([_JA]))
        return
    if whole := _X86_WHOLE.search(code):
        yield _dropping_doubled(whole)
        return
    for found in _X86_RULE.finditer(code):
        jump = b"\x90\xe9"  # jmp, of the same length
        if found[1] == b"\x77":
            jump = b"\xeb"
        yield Edit(found.start(1), jump)


def _dropping_doubled(rule: re.Match[bytes]) -> Edit:
    """The edit that drops a frame only if its number is the previous one's, and not 0."""
    skip = rule.end(1) + struct.unpack("<b", rule[1])[0]
    drop = rule.end() + struct.unpack("<i", rule[2])[0]
    at = rule.start(1) - 1
    kept = rule[0][at + 2 - rule.start() :][:8]

    content = b"\x77" + rule[1] + kept  # ja past the rule; load; cmp
    content += b"\x0f\x85" + struct.pack("<i", skip - (at + len(content) + 6))  # jne past it
    content += b"\x85\xd2"  # test last
    content += b"\x0f\x85" + struct.pack("<i", drop - (at + len(content) + 6))  # jne to the drop
    content += b"\xeb" + struct.pack("<b", skip - (at + len(content) + 2))  # jmp past it
    return Edit(at, content)


def _arm_edits(code: bytes) -> Iterator[Edit]:
    words = struct.unpack(f"<{len(code) // 4}I", code[: len(code) // 4 * 4])
    limits = {word & 31 for word in words if word & 0xFFFFFFE0 == 0x529FFFE0}  # mov wN, #0xffff
    for place, (compare, branch) in enumerate(pairwise(words)):
        is_compare = compare & 0xFFE0FC1F == 0x6B00001F and (compare >> 16 & 31) in limits
        if is_compare and branch & 0xFF00001F == 0x54000008:  # cmp wM, wN; b.hi
            distance = (branch >> 5 & 0x7FFFF ^ 0x40000) - 0x40000
            yield Edit(4 * (place + 1), struct.pack("<I", 0x14000000 | distance & 0x3FFFFFF))  # b


def main() -> int:
    """Correct the program in the command line; returns 0 if it drops no frames any more."""
    program = Path(sys.argv[1])
    corrected = [correct(program, find=find) for find in CORRECTIONS]
    if any(corrected):
        print(f"{program}: corrected; restart Asterisk")
    else:
        print(f"{program}: nothing to correct")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
