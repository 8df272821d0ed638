"""Stores trunks: a few lines each in trunks.conf, based on templates with safe defaults; secrets in
another file. Each trunk is a block between two comments, the first of which has its options.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from router.asterisk.trunk import Cli, DidFrom, Side, Transport, Trunk, TrunkKind
from router.asterisk.trunk_conf import escape, secret_lines, trunk_lines
from router.atomic_file import write_whole
from router.errors import Conflict, InvalidInput, NotFound

__all__ = [
    "SHORTEST_PASSWORD",
    "Cli",
    "DidFrom",
    "Side",
    "Transport",
    "Trunk",
    "TrunkKind",
    "Trunks",
]
SHORTEST_PASSWORD = 12  # of an account: attackers try 680 a second
_BLOCK = re.compile(r"^; trunk (\{[^\n]*\})\n(.*?)^; end of trunk\n", re.MULTILINE | re.DOTALL)
_HEAD = (
    "; Written by `ringtrace trunk`; it may replace the text between `trunk` and `end of trunk`.\n"
)


class Trunks:
    """The trunks in a directory of Asterisk's configuration."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "trunks.conf"
        self._secrets = directory / "trunk-secrets.conf"

    def all(self) -> list[Trunk]:
        """All trunks. Raises `InvalidInput` for an unreadable block."""
        return [_parse(match[1]) for match in _BLOCK.finditer(self._text(self._file))]

    def add(self, trunk: Trunk, password: str | None = None) -> None:
        """Add a trunk. Raises `Conflict` if the name is taken, `InvalidInput` for an unusable
        password.
        """
        if trunk.name in {known.name for known in self.all()}:
            raise Conflict(
                f"The trunk '{trunk.name}' already exists: use `ringtrace trunk change`, or "
                "remove it first."
            )
        if trunk.kind is not TrunkKind.IP:
            _check_password(trunk, password or "")
            self._append(
                self._secrets, trunk, secret_lines(trunk, escape(password or "")), mode=0o600
            )
        self._append(self._file, trunk, trunk_lines(trunk), mode=0o640)

    def change(self, trunk: Trunk, password: str | None = None) -> None:
        """Change a trunk in place. Raises `NotFound`."""
        if trunk.name not in {known.name for known in self.all()}:
            raise NotFound(f"There is no trunk '{trunk.name}'.")
        passwords = {}
        if password is not None:
            _check_password(trunk, password)
            passwords[trunk.name] = escape(password)
        self._rewrite({trunk.name: trunk}, passwords)

    def refresh(self) -> None:
        """Rewrite every trunk in the format of this version."""
        if trunks := {trunk.name: trunk for trunk in self.all()}:
            self._rewrite(trunks, {})

    def content(self) -> tuple[str, str]:
        """The content of both files, for `restore`."""
        return self._text(self._file), self._text(self._secrets)

    def restore(self, content: tuple[str, str]) -> None:
        """Restore the files."""
        write_whole(self._file, content[0], mode=0o640)
        write_whole(self._secrets, content[1], mode=0o600)

    def remove(self, name: str) -> None:
        """Remove a trunk. Raises `NotFound`."""
        if name not in {trunk.name for trunk in self.all()}:
            raise NotFound(f"There is no trunk '{name}'.")

        def without(match: re.Match[str]) -> str:
            if _parse(match[1]).name == name:
                return ""
            return match[0]

        for path, mode in ((self._file, 0o640), (self._secrets, 0o600)):
            write_whole(path, _BLOCK.sub(without, self._text(path)), mode=mode)

    def _append(self, path: Path, trunk: Trunk, lines: Iterable[str], *, mode: int) -> None:
        write_whole(path, (self._text(path) or _HEAD) + _block(trunk, lines), mode=mode)

    def _rewrite(self, trunks: dict[str, Trunk], passwords: dict[str, str]) -> None:
        def endpoint(match: re.Match[str]) -> str:
            trunk = trunks.get(_parse(match[1]).name)
            if trunk:
                return _block(trunk, trunk_lines(trunk))
            return match[0]

        def secret(match: re.Match[str]) -> str:
            trunk = trunks.get(_parse(match[1]).name)
            known = re.search(r"^password = (.*)$", match[2], re.MULTILINE)
            if trunk is None or known is None:
                return match[0]
            return _block(trunk, secret_lines(trunk, passwords.get(trunk.name, known[1])))

        for path, mode, write in ((self._file, 0o640, endpoint), (self._secrets, 0o600, secret)):
            text = self._text(path)
            if (written := _BLOCK.sub(write, text)) != text:
                write_whole(path, written, mode=mode)

    @staticmethod
    def _text(path: Path) -> str:
        if not path.exists():
            return ""
        return path.read_text()


def _parse(facts: str) -> Trunk:
    try:
        values = json.loads(facts)
        return Trunk(
            **{
                **values,
                "kind": TrunkKind(values["kind"]),
                "side": Side(values.get("side", Side.CARRIER)),
                "cli": Cli(values.get("cli", Cli.OWN)),
                "did_from": DidFrom(values.get("did_from", DidFrom.URI)),
                "transport": Transport(values.get("transport", Transport.UDP)),
                "match": tuple(values.get("match", ())),
            }
        )
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInput(
            f"trunks.conf has a block that cannot be read: {facts[:80]} ({error})"
        ) from error


def _block(trunk: Trunk, lines: Iterable[str]) -> str:
    facts = json.dumps(
        {key: value for key, value in asdict(trunk).items() if value}, sort_keys=True
    )
    return "\n".join((f"; trunk {facts}", *lines, "; end of trunk", ""))


def _check_password(trunk: Trunk, password: str) -> None:
    if not password:
        raise InvalidInput(f"trunk '{trunk.name}': a password is needed")
    if not re.fullmatch(r"[!-~]{1,128}", password):
        raise InvalidInput(
            f"trunk '{trunk.name}': a password is 1 to 128 printable ASCII characters, no spaces"
        )
    if trunk.kind is TrunkKind.ACCOUNT and (
        len(password) < SHORTEST_PASSWORD or len(set(password)) < 5
    ):
        raise InvalidInput(
            f"trunk '{trunk.name}': attackers guess passwords of accounts: use at least "
            f"{SHORTEST_PASSWORD} characters, 5 of them different"
        )
