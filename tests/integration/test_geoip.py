"""Where an address is: files of each created_by, and what may be wrong with them."""

from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from router.config import Settings
from router.enrichment.geoip import Place, Places
from router.enrichment.opening import open_enrichment

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) "
)
MAXMIND = {
    "country": {"iso_code": "RU", "geoname_id": 2017370, "names": {"en": "Russia", "ru": "Россия"}},
    "subdivisions": [
        {"iso_code": "SVE", "names": {"en": "Sverdlovsk Oblast", "ru": "Свердловская область"}}
    ],
    "city": {"geoname_id": 1486209, "names": {"en": "Yekaterinburg", "ru": "Екатеринбург"}},
    "location": {"latitude": 56.8, "longitude": 60.6},
}

DB_IP = {
    "country": {"iso_code": "RU", "is_in_european_union": False, "names": {"en": "Russia"}},
    "subdivisions": [{"names": {"en": "Moscow"}}],
    "city": {"names": {"en": "Moscow (Tsentralnyy administrativnyy okrug)"}},
}

FLAT = {"country_code": "DE", "state1": "Bavaria", "city": "Munich"}


def place_file(folder: Path, networks: dict[str, Any], version: int = 6) -> Path:
    writer = MMDBWriter(ip_version=version, ipv4_compatible=version == 6, database_type="Test-City")
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    file = folder / "places.mmdb"
    writer.to_db_file(str(file))
    return file


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (MAXMIND, Place(country="RU", region="Sverdlovsk Oblast", city="Yekaterinburg")),
        (DB_IP, Place(country="RU", region="Moscow", city="Moscow")),
        (FLAT, Place(country="DE", region="Bavaria", city="Munich")),
        ({"country": {"iso_code": "RU"}}, Place(country="RU")),
        ({"country": "RU", "city": ""}, Place(country="RU")),
        ({"subdivisions": [], "city": {"names": {"ru": "Екатеринбург"}}}, None),
        ({"city": 5, "country": ["x"], "subdivisions": "y"}, None),
        ("a word", None),
    ],
)
def test_the_place_of_an_address_is_read_in_each_makers_form(
    tmp_path: Path, record: Any, place: Place | None
) -> None:
    places = Places(place_file(tmp_path, {"5.8.0.0/16": record}))
    assert places.find("5.8.1.2") == place
    assert places.find("::ffff:5.8.1.2") == place
    assert places.find("5.9.1.2") is None


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> Places:
    halves = {"0.0.0.0/1": MAXMIND, "128.0.0.0/1": MAXMIND, "8000::/1": MAXMIND}
    return Places(place_file(tmp_path_factory.mktemp("places"), halves))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "::1",
        "fe80::1%eth0",
        "",
        "localhost",
        "5.8.1.2:80",
        "\0",
        "5.8.1",
    ],
)
def test_private_and_unreadable_addresses_have_no_place(everywhere: Places, address: str) -> None:
    assert everywhere.find("8.8.8.8") is not None
    assert everywhere.find(address) is None


def test_a_file_of_old_addresses_alone_says_nothing_of_new_ones(tmp_path: Path) -> None:
    places = Places(place_file(tmp_path, {"5.8.0.0/16": MAXMIND}, version=4))
    assert places.find("2a02:6b8::1") is None
    assert places.find("5.8.1.2") is not None


def test_without_a_file_no_place_is_known() -> None:
    assert Places(None).find("5.8.1.2") is None


@pytest.mark.parametrize(
    "content", [None, b"", b"not a place file", b"\xab\xcd\xefMaxMind.com" + b"\xff" * 50]
)
def test_a_file_that_cannot_be_read_is_said_once(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "places.mmdb"
    if content is not None:
        file.write_bytes(content)
    with structlog.testing.capture_logs() as said:
        places = Places(file)
        assert [places.find("5.8.1.2"), places.find("5.8.1.3")] == [None, None]
    assert [line["event"] for line in said] == ["places.unreadable"]


def test_a_file_that_is_broken_inside_is_said_once(tmp_path: Path) -> None:
    file = place_file(tmp_path, {"5.8.0.0/16": MAXMIND})
    raw = file.read_bytes()
    tree = raw.index(b"iso_code") - 40
    file.write_bytes(raw[:tree] + b"\xff" * 60 + raw[tree + 60 :])
    with structlog.testing.capture_logs() as said:
        places = Places(file)
        for address in ("5.8.1.2", "5.8.1.3"):
            assert places.find(address) is None
    assert [line["event"] for line in said] == ["places.unreadable"]


@given(address=st.ip_addresses() | st.text())
def test_no_address_is_too_absurd(everywhere: Places, address: object) -> None:
    place = everywhere.find(str(address))
    assert place is None or place.city == "Yekaterinburg"


def test_bootstrap_gives_all_three(tmp_path: Path) -> None:
    file = place_file(tmp_path, {"5.8.0.0/16": MAXMIND})
    around = open_enrichment(Settings(home=tmp_path, places_path=str(file)))
    place, browser = around.places("5.8.1.2"), around.browsers(IPHONE + "Mobile/15E148")
    assert place is not None
    assert place.city == "Yekaterinburg"
    assert browser is not None
    assert browser.device == "mobile"
    assert around.referrers("t.me") == ("telegram", "messenger")
