"""Each receiver declares itself in its own folder; nothing central names one."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from router.receivers.registry import KINDS
from tests.support.builders import NOON
from tests.support.crm_calls import connection

ROOT = Path(__file__).parents[2]
RECEIVERS = ROOT / "router/receivers"
FOLDERS = sorted(path.parent.name for path in RECEIVERS.glob("*/__init__.py"))


def test_every_folder_declares_a_receiver() -> None:
    assert sorted(name.replace("-", "_") for name in KINDS) == FOLDERS


@pytest.mark.parametrize("name", KINDS)
def test_a_declaration_has_what_a_person_needs(name: str) -> None:
    kind = KINDS[name]
    assert kind.title
    assert kind.token
    assert kind.analytics == bool(kind.needs_one_of)
    assert kind.analytics != bool(kind.pages)
    assert kind.per_second > 0 < kind.burst


@pytest.mark.parametrize("name", KINDS)
def test_a_receiver_is_named_only_in_its_folder(name: str) -> None:
    quoted = re.compile(rf"""["']{name}["']""")
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "router").rglob("*.py")}
    folder = RECEIVERS / name.replace("-", "_")
    naming = [path for path, text in sources.items() if quoted.search(text)]
    assert [path for path in naming if folder not in path.parents] == []


@pytest.mark.parametrize("name", KINDS)
def test_the_documentation_of_receivers_names_it(name: str) -> None:
    assert f"(`{name}`)" in (ROOT / "docs/crm.md").read_text(encoding="utf-8")


def test_events_of_files_wait_for_the_next_full_interval() -> None:
    late = NOON + timedelta(minutes=3, seconds=20)
    assert KINDS["metrica"].due(late) == NOON + timedelta(minutes=5)
    assert KINDS["metrica"].due(NOON) == NOON + timedelta(minutes=5)
    assert KINDS["ga4"].due(late) == late


def test_a_sale_is_accepted_by_the_clock_of_the_service() -> None:
    sold = NOON + timedelta(days=2)
    assert KINDS["ga4"].sale_deadline(NOON, sold) == sold + timedelta(hours=72)
    assert KINDS["metrica"].sale_deadline(NOON, sold) == NOON + timedelta(days=21)


@pytest.mark.parametrize(
    ("name", "known", "used"),
    [
        ("ga4", {"ga_client_id": "1.2"}, True),
        ("ga4", {"ym_client_id": "3", "gclid": "c"}, False),
        ("metrica", {"yclid": "c"}, True),
        ("google-ads", {"wbraid": "c"}, True),
        ("google-ads", {"yclid": "c", "ga_client_id": "1.2"}, False),
        ("hubspot", {}, True),  # it creates what calls need, of whomever they are
    ],
)
def test_each_service_gets_the_calls_that_it_can_use(
    name: str, known: dict[str, str], used: bool
) -> None:
    assert KINDS[name].can_use(connection(name), known) is used
