"""Sites, pools and numbers, set up from a shell on a real database."""

import shutil
from pathlib import Path

import pytest

from tests.support.command_line import ringtrace


@pytest.fixture(autouse=True)
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of an installation that was prepared."""
    path = tmp_path / "home"
    path.mkdir()
    shutil.copy(sqlite_template, path / "ringtrace.db")
    monkeypatch.setenv("RINGTRACE_HOME", str(path))
    return path


@pytest.fixture
def shop() -> None:
    """A site with a default line and a pool."""
    ringtrace(
        "destination", "add", "office", "--step", "PJSIP/company", "--step", "PJSIP/204@pbx:20"
    )
    ringtrace("site", "add", "shop", "--destination", "office", "--origin", "https://shop.example")
    ringtrace("pool", "add", "visitors", "--site", "shop", "--hold", "600", "--freeze", "300")


def test_a_command_before_the_first_start_says_what_to_run_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    monkeypatch.setenv("RINGTRACE_HOME", str(empty))
    assert "run `ringtrace prepare`" in ringtrace("site", "list", status=1).err
    assert not empty.exists()


@pytest.mark.usefixtures("shop")
def test_what_was_added_is_listed_and_shown_as_json_and_nothing_else_is_on_stdout() -> None:
    (destination,) = ringtrace("destination", "list", "--json").json
    assert destination["steps"] == [
        {"dial": "PJSIP/company", "ring_seconds": 30},
        {"dial": "PJSIP/204@pbx", "ring_seconds": 20},
    ]
    assert ringtrace("site", "show", "shop", "--json").json["origins"] == ["https://shop.example"]
    assert ringtrace("pool", "show", "visitors", "--json").json["freeze_seconds"] == 300
    assert "https://shop.example" in ringtrace("site", "list").out


@pytest.mark.usefixtures("shop")
def test_a_change_leaves_alone_what_was_not_named() -> None:
    ringtrace("destination", "change", "office", "--send-client-id")
    ringtrace("destination", "change", "office", "--name", "Office", "--dtmf-transfer")
    changed = ringtrace("destination", "change", "office", "--no-dtmf-transfer", "--json").json
    assert (changed["name"], changed["send_client_id"], changed["dtmf_transfer"]) == (
        "Office",
        True,
        False,
    )
    assert len(changed["steps"]) == 2
    ringtrace("site", "change", "shop", "--no-destination")
    site = ringtrace("site", "show", "shop", "--json").json
    assert (site["destination_id"], site["origins"]) == (None, ["https://shop.example"])


@pytest.mark.usefixtures("shop")
def test_what_is_in_use_is_not_removed_and_what_is_not_is() -> None:
    assert "still in use" in ringtrace("destination", "remove", "office", status=1).err
    ringtrace("pool", "remove", "visitors")
    ringtrace("site", "remove", "shop")
    ringtrace("destination", "remove", "office")
    assert ringtrace("destination", "list", "--json").json == []
    assert "no site" in ringtrace("site", "show", "shop", status=1).err


@pytest.mark.usefixtures("shop")
def test_a_number_is_known_in_every_spelling_of_its_country() -> None:
    added = ringtrace(
        "number", "add", "8 (495) 123-45-60", "--site", "shop", "--pool", "visitors", "--json"
    ).json
    assert (added["e164"], added["kind"]) == ("+74951234560", "dynamic")
    assert "+7 495 123-45-60" in ringtrace("number", "list").out
    ringtrace("number", "change", "84951234560", "--static", "--channel", "billboard")
    assert (
        ringtrace("number", "list", "--kind", "static", "--json").json[0]["channel"] == "billboard"
    )
    assert ringtrace("number", "list", "--kind", "dynamic", "--json").json == []
    ringtrace("number", "remove", "+7 495 1234560")
    assert "no number" in ringtrace("number", "show", "84951234560", status=1).err


@pytest.mark.usefixtures("shop")
def test_a_site_has_options_for_what_counts_as_a_channel_and_how_sure_to_be() -> None:
    rules = ("--rule", "source:avito=Classifieds", "--rule", "landing:?utm_x=1=Partners")
    ringtrace(
        "site", "change", "shop", "--consent", "--certainty", "0.6", "--exclude", ".no", *rules
    )
    site = ringtrace("site", "change", "shop", "--contacts", "/contacts", "--json").json
    assert (site["consent"], site["certainty"], site["exclude"], site["contacts"]) == (
        True,
        0.6,
        ".no",
        "/contacts",
    )
    assert [(rule["field"], rule["text"], rule["channel"]) for rule in site["source_rules"]] == [
        ("source", "avito", "Classifieds"),
        ("landing", "?utm_x=1", "Partners"),
    ]
    assert "source:avito=Classifieds" in ringtrace("site", "show", "shop").out
    site = ringtrace(
        "site", "change", "shop", "--no-rules", "--no-consent", "--exclude", "", "--json"
    ).json
    assert (site["source_rules"], site["consent"], site["exclude"]) == ([], False, "")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "rule", ["avito", "source:avito", "weather:avito=Classifieds", "source:=Classifieds"]
)
def test_a_rule_that_cannot_be_read_says_how_to_write_one(rule: str) -> None:
    ran = ringtrace("site", "change", "shop", "--rule", rule, status=2)
    assert "source:avito=Classifieds" in ran.err.replace("\n", " ")
    assert ringtrace("site", "show", "shop", "--json").json["source_rules"] == []


@pytest.mark.usefixtures("shop")
def test_a_pool_replaces_the_companys_numbers_in_any_spelling() -> None:
    options = ("--on-request", "--region", "Moscow", "--leases-per-hour", "40", "--free-after-call")
    numbers = ("--replaces", "8 (495) 123-45-67", "--replaces", "+7 800 555 35 35")
    added = ringtrace("pool", "add", "second", "--site", "shop", *numbers, *options, "--json").json
    assert added["replaces"] == ["+74951234567", "+78005553535"]
    assert (added["on_request"], added["regions"], added["leases_per_hour"]) == (
        True,
        ["Moscow"],
        40,
    )
    back = ("--always", "--no-regions", "--no-budget", "--keep-after-call", "--no-replaces")
    changed = ringtrace("pool", "change", "second", *back, "--selector", ".phone", "--json").json
    assert [changed[name] for name in ("replaces", "regions", "leases_per_hour")] == [[], [], None]
    assert (changed["on_request"], changed["free_after_call"], changed["selector"]) == (
        False,
        False,
        ".phone",
    )
    assert (
        "not a phone number"
        in ringtrace("pool", "change", "second", "--replaces", "call us", status=1).err
    )


def documented_line() -> str:
    """The first block of the guide."""
    guide = (Path(__file__).parents[2] / "docs/site.md").read_text()
    return guide.partition("```html\n")[2].partition("```")[0]


@pytest.mark.usefixtures("shop")
def test_the_pages_line_carries_the_public_address_or_a_warning_that_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "RINGTRACE_PUBLIC_URL" in ringtrace("site", "snippet", "shop").err
    monkeypatch.setenv("RINGTRACE_PUBLIC_URL", "https://calls.example.com/")
    ran = ringtrace("site", "snippet", "shop")
    assert ran.out == documented_line()
    assert ran.err == ""
    assert "no site" in ringtrace("site", "snippet", "other", status=1).err


@pytest.mark.usefixtures("shop")
def test_a_plan_without_history_says_so_and_a_pool_without_numbers_is_warned_of() -> None:
    ran = ringtrace(
        "pool", "plan", "visitors", "--hold", "86400", "--share", "0.01", "--asking", "0.3"
    )
    assert "not enough history" in ran.out
    assert "24:00:00" in ran.out
    assert "no numbers" in ran.err
    planned = ringtrace("pool", "plan", "visitors", "--json").json
    assert (planned["plan"]["visits"], planned["report"]["shortage"]) == (0, "no_numbers")
    assert (
        len(planned["plan"]["rows"][0]["everyone"]["numbers"])
        == len(planned["plan"]["shares"])
        == 4
    )
    ringtrace("pool", "plan", "visitors", "--asking", "0", status=2)


BAD = "number;pool\n8 495 123-45-60;visitors\n123;visitors\n+74951234561;nowhere\n84951234560;\n"


@pytest.mark.usefixtures("shop")
def test_an_import_takes_all_lines_or_none_and_names_each_bad_one(tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(BAD)
    said = ringtrace("number", "import", str(file), "--site", "shop", "--json", status=1).json
    assert said["added"] == []
    assert [(bad["line"], bad["text"]) for bad in said["bad"]] == [
        (3, "123;visitors"),
        (4, "+74951234561;nowhere"),
        (5, "84951234560;"),
    ]
    assert all(bad["reason"] for bad in said["bad"])
    assert ringtrace("number", "list", "--json").json == []


@pytest.mark.usefixtures("shop")
def test_a_partial_import_takes_the_good_lines_and_fails_only_when_there_is_none() -> None:
    said = ringtrace(
        "number", "import", "-", "--site", "shop", "--partly", "--json", stdin=BAD
    ).json
    assert (said["added"], len(said["bad"])) == (["+74951234560"], 3)
    ringtrace("number", "import", "-", "--site", "shop", "--partly", stdin=BAD, status=1)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_a_file_is_read_in_the_encodings_that_spreadsheets_write(
    tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "numbers.csv"
    file.write_bytes("number,channel\n+74951234560,билборд\n".encode(encoding))
    ran = ringtrace("number", "import", str(file), "--site", "shop")
    assert ringtrace("number", "list", "--json").json[0]["channel"] == "билборд"
    assert ("Windows-1251" in ran.err) is (encoding == "cp1251")
