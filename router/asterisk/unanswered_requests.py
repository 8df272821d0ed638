"""Lets Asterisk refuse each request inside a call that none of its modules answers.

A SIP peer may send any request inside a call: SUBSCRIBE, NOTIFY, PUBLISH, a special INFO. PJSIP
answers unclaimed requests with 500, but `session_on_rx_request` of res_pjsip_session claims every
request, because two modules (REFER, Reason) listen to all methods. So such requests get no answer,
and after 32 s a strict peer ends the call, following RFC 3261 (12.2.1.2).

The claim begins with a test that there is a dialog, and a branch that says "not claimed" without
one. Here that branch becomes unconditional: one instruction. Modules answer requests before PJSIP
checks whether they were answered, so nothing else changes.

Run it by hand, as root, for an Asterisk that Ringtrace does not start: `python -m
router.asterisk.unanswered_requests RES_PJSIP_SESSION.SO`.
"""

import hashlib
import re
import sys
from contextlib import suppress
from pathlib import Path

from router.asterisk.late_frames import Edit, cache_directory, correct

MODULE = "res_pjsip_session.so"
_X86_64 = b"\x3e\x00"
_HEAD = b"\x7fELF\x02\x01"
_JUMP = b"\x90\xe9"
_CLAIM = re.compile(
    rb"[\x48\x4d]\x85."  # test dialog, dialog
    rb"(\x0f\x84|\x90\xe9)...."  # je not claimed; corrected: jmp
    rb"[\x48\x4c]\x89."  # mov dialog, %rdi
    rb"\xe8....\x48\x85\xc0\x0f\x84...."  # call pjsip_dlg_get_inv_session; its result; je
    rb"\x48\x63.....\x48\x8b\x84.....\x48\x85\xc0",  # the session that belongs to it
    re.DOTALL,
)


def find_claim(module: bytes) -> Edit | None:
    """The edit after which nothing is claimed; None for a corrected or an unknown module."""
    branch = _branch(module)
    if branch and branch[1] != _JUMP:
        return Edit(branch.start(1), _JUMP)
    return None


def is_corrected(module: bytes) -> bool:
    """Whether every request is answered. Modules in which the claim is not found, e.g. for arm64,
    cannot be corrected.
    """
    branch = _branch(module)
    return bool(branch and branch[1] == _JUMP)


def _branch(module: bytes) -> re.Match[bytes] | None:
    if not module.startswith(_HEAD) or module[18:20] != _X86_64:
        return None
    found = list(_CLAIM.finditer(module))
    if len(found) == 1:
        return found[0]
    return None


def corrected_modules(modules: Path) -> Path:
    """The corrected module directory; `modules` itself if no correction is needed or possible. A
    tree from asterisk.sh is corrected in place; for system modules the cache has a directory of
    links with the corrected module.
    """
    module = modules / MODULE
    with suppress(OSError):
        if _is_ours(modules):
            correct(module, find=find_claim)
            return modules
        if find_claim(content := module.read_bytes()):
            return _linked(modules, hashlib.sha256(content).hexdigest()[:16])
    return modules


def _is_ours(modules: Path) -> bool:
    return modules.is_relative_to(cache_directory()) or any(
        (above / "root/usr/sbin/asterisk").exists() for above in modules.parents
    )


def _linked(modules: Path, name: str) -> Path:
    directory = cache_directory() / f"corrected-{name}/modules"
    directory.mkdir(parents=True, exist_ok=True)
    correct(modules / MODULE, directory / MODULE, find_claim)
    for other in modules.iterdir():
        with suppress(FileExistsError):
            (directory / other.name).symlink_to(other)
    return directory


def main() -> int:
    """Correct the module in the command line; returns 0 if requests are answered."""
    module = Path(sys.argv[1])
    if correct(module, find=find_claim):
        print(f"{module}: corrected; restart Asterisk")
    elif is_corrected(module.read_bytes()):
        print(f"{module}: nothing to correct")
    else:
        print(f"{module}: cannot be corrected, it is not Debian's or Ubuntu's module for x86-64")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
