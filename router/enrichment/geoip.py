"""The place of an IP address, by a file in MaxMind's format that the administrator provides:
GeoLite2, DB-IP, IPinfo.

The file is memory-mapped, so its size costs no memory, and a look-up takes microseconds. Without a
file, or with a broken one, places are unknown and nothing else changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import maxminddb
import structlog

from router.domain.visitors.url import clean

log = structlog.get_logger()

_BROKEN = (OSError, ValueError, maxminddb.InvalidDatabaseError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of an address."""

    country: str | None = None  # ISO 3166
    region: str | None = None  # in English
    city: str | None = None  # in English


class Places:
    """The places of addresses. A file that cannot be read is logged once; places are then
    unknown.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._reader: maxminddb.Reader | None = None
        if file is not None:
            try:
                self._reader = maxminddb.open_database(file)
            except _BROKEN as error:
                self._give_up(error)

    def find(self, address: str) -> Place | None:
        """The place of an IP address, or None for a private, unknown or unreadable one. Never
        raises.
        """
        if self._reader is None or (public := _public(address)) is None:
            return None
        try:
            found = self._reader.get(public)
        except _BROKEN as error:
            # a file with IPv4 addresses only
            if not (isinstance(error, ValueError) and public.version == 6):
                self._give_up(error)
            return None
        if not isinstance(found, Mapping):
            return None
        return _place(found)

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _give_up(self, error: Exception) -> None:
        self.close()
        log.error(
            "places.unreadable",
            file=str(self._file),
            error=str(error)[:200],
            advice="put back a whole .mmdb file named by "
            "RINGTRACE_PLACES_PATH, and restart the web "
            "process",
        )


def made_at(file: Path) -> datetime:
    """The file's build time, from its metadata. Raises `ValueError` if it cannot be read."""
    try:
        with maxminddb.open_database(file) as reader:
            return datetime.fromtimestamp(reader.metadata().build_epoch, UTC)
    except (*_BROKEN, OverflowError) as error:
        raise ValueError(str(getattr(error, "strerror", None) or error)[:200]) from error


def _public(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_global:
        return address
    return None


def _place(found: Mapping[str, Any]) -> Place | None:
    """Files of MaxMind and DB-IP nest names by language; files derived from them are often flat."""
    regions = found.get("subdivisions")
    region = None
    if isinstance(regions, list) and regions:
        region = regions[0]
    place = Place(
        country=_word(
            _code(found.get("country")) or found.get("country_code") or found.get("country")
        ),
        region=_word(_english(region) or found.get("region") or found.get("state1")),
        city=_word(_english(found.get("city")) or found.get("city")),
    )
    if place == Place():
        return None
    return place


def _code(country: object) -> object:
    match country:
        case {"iso_code": code}:
            return code
    return None


def _english(named: object) -> object:
    match named:
        case {"names": {"en": name}}:
            return name
    return None


def _word(said: object) -> str | None:
    """DB-IP adds a city's district in brackets, which would make each district a city."""
    if not isinstance(said, str):
        return None
    return clean(said.partition(" (")[0]) or None
