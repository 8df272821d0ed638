"""Hosts that an administrator names because visitors of a site pay or log in there."""

import shutil
from pathlib import Path

import pytest

from router.service.admin import setup
from router.store.engine import SqlStore
from tests.integration.visit_world import ADS, SHOP, open_page
from tests.support.builders import furnish, later, site
from tests.support.command_line import ringtrace


@pytest.mark.parametrize(("named", "goes_on"), [((), False), (("pay.google.example",), True)])
async def test_coming_back_from_a_named_host_goes_on_with_the_advertisements_visit(
    named: tuple[str, ...], goes_on: bool, store: SqlStore
) -> None:
    """The host is known as a search engine's: without its name here it brings a new source."""
    await furnish(store)
    await setup.change(store, site(errand_hosts=named))
    first = await open_page(store, ADS)
    again = await open_page(
        store,
        f"{SHOP}/thanks",
        later(60),
        visitor_id=first.visitor_id,
        referrer="https://acs.pay.google.example/3ds",
    )
    assert (again.visit_id == first.visit_id) == goes_on


def test_the_command_sets_and_removes_them(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sqlite_template, tmp_path / "ringtrace.db")
    monkeypatch.setenv("RINGTRACE_HOME", str(tmp_path))
    added = ringtrace("site", "add", "shop", "--errand", "pay.example", "--json").json
    assert added["errand_hosts"] == ["pay.example"]
    two = ("--errand", "acs.bank.example", "--errand", "id.club.example")
    changed = ringtrace("site", "change", "shop", *two, "--json").json
    assert changed["errand_hosts"] == ["acs.bank.example", "id.club.example"]
    assert "acs.bank.example" in ringtrace("site", "show", "shop").out
    assert ringtrace("site", "change", "shop", "--name", "Shop", "--json").json["errand_hosts"]
    wrong = ringtrace("site", "change", "shop", "--errand", "https://pay.example", status=1)
    assert "write it as pay.example.com" in wrong.err
    assert ringtrace("site", "change", "shop", "--no-errands", "--json").json["errand_hosts"] == []
