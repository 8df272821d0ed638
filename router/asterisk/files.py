"""Writes Asterisk's configuration: Ringtrace's files with paths and ports filled in."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from router.asterisk.cel_settings import cel_mapping
from router.asterisk.music import write_music
from router.asterisk.transports import Tls, transport_sections
from router.atomic_file import give_to_owner, write_whole
from router.domain.calls.routing import FallbackEntry
from router.errors import ConfigurationError

_SAFE_PATH = re.compile(r"[\w/.+=:@~-]+")
_REVISION = "\n[ringtrace-revision]\n"
# else extensions.conf
_MODELS = {
    "manager-secret.conf": "manager.conf",
    "trunk-secrets.conf": "pjsip.conf",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Values for the configuration files."""

    home: Path  # Asterisk's etc, lib, log and run directories are here
    spool: Path
    fallback: Path
    cel_log: Path
    answers: Path  # for the agent's answers to the dialplan; in memory if possible
    modules: Path  # Asterisk's own modules
    data: Path  # Asterisk's own sounds and documentation
    run: Path  # for the control socket, whose path may have 100 characters at most
    sip_bind: str
    sip_port: int
    ami_port: int
    rtp_start: int
    rtp_end: int
    system_name: str
    deadline_ms: int
    inherits_headers: bool  # the company's leg takes SIP headers over from the caller's
    transfer_context: str
    ami_password: str
    copies_port: int  # of SIP messages, on loopback
    copies_key: str
    sip_bind_v6: str = ""  # empty: no IPv6
    tls: Tls | None = None
    jitter_buffer: bool = False  # on the callers' side
    announcement: str = ""  # a sound that customers hear who are called back
    # its cel_custom takes mappings without dialplan functions (from 22.9)
    advanced_cel: bool = False


def source() -> Path:
    """Ringtrace's configuration files, in the checkout or the installed package."""
    here = Path(str(files("router"))).parent / "asterisk_config"
    if not (here / "extensions.conf").exists():
        raise ConfigurationError(f"{here} is missing: install ringtrace again")
    return here


def write_configuration(places: Places) -> Path:
    """Write the embedded Asterisk's configuration; returns its asterisk.conf. Existing trunks are
    kept.
    """
    etc = places.home / "etc"
    for directory in ("lib/keys", "log", "cache", "spool", "sbin"):
        (places.home / directory).mkdir(parents=True, exist_ok=True)
    places.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    if places.run.stat().st_uid not in {os.geteuid(), places.home.stat().st_uid}:
        raise ConfigurationError(
            f"{places.run} belongs to another user: choose a shorter RINGTRACE_HOME"
        )
    values = {
        "HOME": places.home,
        "MODULES": places.modules,
        "DATA": places.data,
        "RUN": places.run,
        "LOG": places.home / "log",
        "SYSTEM": places.system_name,
        "SIP_BIND": places.sip_bind,
        "SIP_PORT": places.sip_port,
        "MORE_TRANSPORTS": transport_sections(
            places.sip_bind, places.sip_bind_v6, places.sip_port, places.tls
        ),
        "AMI_PORT": places.ami_port,
        "RTP_START": places.rtp_start,
        "RTP_END": places.rtp_end,
        "MAX_CALLS": (places.rtp_end - places.rtp_start + 1) // 4,
        "COPIES_PORT": places.copies_port,
        "COPIES_KEY": places.copies_key,
    }
    music = places.home / "lib/music"
    if not music.is_dir():  # otherwise it contains the company's files
        write_music(music / "ringtrace.wav")
    write_includes(etc / "ringtrace", places)
    for path in sorted(source().glob("*.conf")):
        write_whole(etc / path.name, _fill(path.read_text(), values))
    return etc / "asterisk.conf"


def write_includes(ours: Path, places: Places) -> None:
    """Write the files that an Asterisk includes, e.g. into /etc/asterisk/ringtrace."""
    for directory in (ours, places.spool, places.cel_log.parent):
        make_directory(directory)
    _make_own(places.answers)
    for path in sorted((source() / "ringtrace").glob("*.conf")):
        write_whole(ours / path.name, _fill(path.read_text(), _dialplan_places(places)))
    _append_revision(ours / "dialplan.conf")
    write_whole(ours / "cel-custom.conf", cel_mapping(places.cel_log, advanced=places.advanced_cel))
    write_whole(
        ours / "manager-secret.conf",
        "; Written by `ringtrace prepare`.\n[ringtrace](ringtrace)\nsecret = "
        f"{places.ami_password}\n",
        mode=0o600,
    )
    for name, mode in (("trunks.conf", 0o640), ("trunk-secrets.conf", 0o600)):
        path = ours / name
        if not path.exists():
            write_whole(path, "; Written by `ringtrace trunk`.\n", mode=mode)
        elif (text := path.read_text()) != (named := _with_our_prefix(text)):
            write_whole(path, named, mode=mode)
    if not places.fallback.exists():
        write_fallback(places.fallback, ())


def revision(dialplan: str) -> str:
    """The revision of a dialplan.conf, computed without its last context."""
    return hashlib.sha256(dialplan.partition(_REVISION)[0].encode()).hexdigest()[:12]


def _append_revision(path: Path) -> None:
    """Add the revision, so that `doctor` can compare the loaded dialplan with the file."""
    text = path.read_text()
    write_whole(path, f"{text}{_REVISION}exten => {revision(text)},1,NoOp()\n")


def _fill(text: str, values: Mapping[str, object]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def _dialplan_places(places: Places) -> dict[str, object]:
    paths = {"SPOOL": places.spool, "FALLBACK": places.fallback, "ANSWERS": places.answers}
    for path in paths.values():
        if not _SAFE_PATH.fullmatch(str(path)):
            raise ConfigurationError(
                f"{path} cannot be written in a dialplan: use letters, digits and /._+=:@~-"
            )
    announcement = ""
    if places.announcement:
        announcement = f"A({places.announcement})"

    return {
        **paths,
        "DEADLINE": places.deadline_ms / 1000,
        "TRANSFER_CONTEXT": places.transfer_context,
        "JITTER_BUFFER": "adaptive" if places.jitter_buffer else "none",
        "HEADERS": "inherited" if places.inherits_headers else "added",
        "ANNOUNCEMENT": announcement,
    }


def _make_own(directory: Path) -> None:
    """Create a directory in a place where other users can create some. Raises `ConfigurationError`
    for a foreign one.
    """
    make_directory(directory)
    if directory.stat().st_uid not in {os.geteuid(), directory.parent.stat().st_uid}:
        raise ConfigurationError(f"{directory} belongs to another user: set RINGTRACE_ANSWERS_PATH")


def share_with_host(ours: Path) -> None:
    """Give Ringtrace's files the owner and permissions of the host's files, so that Asterisk can
    read them. If the host's files belong to root, Asterisk may run as another user: then ours
    are as readable as they are, and files with passwords like the host's.
    """
    for path in (ours, *ours.iterdir()):
        model = ours.parent / _MODELS.get(path.name, "extensions.conf")
        if not model.exists() or os.geteuid() not in {0, path.stat().st_uid}:
            continue
        wanted = model.stat()
        readable = 0
        if wanted.st_uid == 0:
            readable = wanted.st_mode & 0o044

        enterable = 0
        if path.is_dir():
            enterable = readable >> 2

        if os.geteuid() == 0:
            os.chown(path, wanted.st_uid, wanted.st_gid)
        path.chmod(path.stat().st_mode & 0o777 | readable | enterable)


def _with_our_prefix(trunks: str) -> str:
    """Rename the prefixes `rt-` and `RT_` of older versions in trunks."""
    return re.sub(r"(?<=[(,])rt-(?=[a-z])", "ringtrace-", trunks).replace(
        "= RT_DID_FROM=", "= RINGTRACE_DID_FROM="
    )


def write_fallback(path: Path, entries: Iterable[FallbackEntry]) -> bool:
    """Write the fallback table; False if unchanged."""
    lines = ["; Each number's last destination, for the dialplan. Written by the agent."]
    for entry in entries:
        lines += [f"[{entry.key}]", f"route = {entry.route}"]
    text = "\n".join(lines) + "\n"
    if path.exists() and path.read_bytes() == text.encode():
        return False
    write_whole(path, text)
    return True


def make_directory(path: Path) -> None:
    """Create a private directory with the owner of its parent, so that Asterisk's user can write
    there.
    """
    if not path.exists():
        path.mkdir(parents=True, mode=0o750)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            give_to_owner(handle, path.parent)
        finally:
            os.close(handle)
