"""A trunk of each kind, and the files it is written to."""

from pathlib import Path
from typing import Any

from router.asterisk.trunks import Side, Trunk, TrunkKind

GOOD = "long-enough-1"


def ip(name: str = "carrier", **fields: Any) -> Trunk:
    return Trunk(**{"name": name, "kind": TrunkKind.IP, "host": "192.0.2.1", **fields})


def registration(name: str = "carrier", **fields: Any) -> Trunk:
    given = {"kind": TrunkKind.REGISTRATION, "host": "sip.example.com:5070", "user": "74950000000"}
    return Trunk(**{"name": name, **given, **fields})


def account(name: str = "company", **fields: Any) -> Trunk:
    return Trunk(**{"name": name, "kind": TrunkKind.ACCOUNT, "side": Side.COMPANY, **fields})


def written(directory: Path) -> list[str]:
    return [
        line
        for line in (directory / "trunks.conf").read_text().splitlines()
        if not line.startswith(";")
    ]


def secrets(directory: Path) -> str:
    return (directory / "trunk-secrets.conf").read_text()
