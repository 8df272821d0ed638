"""What we write for Asterisk: names of our own, in files that a host can do without."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from router.asterisk.files import Places, source, write_includes
from router.cli.doctor.asterisk import includes
from router.cli.doctor.finding import Case, Level
from router.config import Settings
from router.errors import ConfigurationError
from router.store.engine import SqlStore

CONTEXT = re.compile(r"^\[([^\]]+)\]", re.MULTILINE)
VARIABLE = re.compile(r"Set\(_*([A-Za-z][A-Za-z0-9_]*)=")
OF_ASTERISK = {"TRANSFER_CONTEXT", "DIALSTATUS"}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(
        home=tmp_path,
        spool=tmp_path / "spool",
        fallback=tmp_path / "ringtrace/fallback.conf",
        cel_log=tmp_path / "log/cel.csv",
        answers=tmp_path / "answers",
        modules=tmp_path,
        data=tmp_path,
        run=tmp_path / "run",
        sip_bind="127.0.0.1",
        sip_port=5060,
        ami_port=5038,
        rtp_start=30000,
        rtp_end=30100,
        system_name="t1",
        deadline_ms=300,
        inherits_headers=True,
        transfer_context="ringtrace-from-company",
        ami_password="secret",
        copies_port=9060,
        copies_key="key",
    )


def cel_section(places: Places, cel_log: Path) -> str:
    write_includes(places.home / "ringtrace", replace(places, cel_log=cel_log, advanced_cel=True))
    return CONTEXT.findall((places.home / "ringtrace/cel-custom.conf").read_text())[0]


def test_a_long_path_of_the_log_is_not_cut_by_asterisk(places: Places, tmp_path: Path) -> None:
    long = tmp_path / ("a" * 60) / ("b" * 60)
    assert cel_section(places, long / "cel-custom/cel.csv") == "cel.csv"
    with pytest.raises(ConfigurationError, match="shorter path"):
        cel_section(places, long / "elsewhere/cel.csv")


@pytest.mark.parametrize("name", ["dialplan.conf", "trunk-templates.conf", "manager.conf"])
def test_every_section_that_a_host_includes_is_named_ringtrace(name: str) -> None:
    sections = set(CONTEXT.findall((source() / "ringtrace" / name).read_text())) - {"globals"}
    assert sections
    assert [section for section in sections if not section.startswith("ringtrace")] == []


def test_every_variable_of_the_dialplan_is_named_ringtrace() -> None:
    variables = (
        set(VARIABLE.findall((source() / "ringtrace/dialplan.conf").read_text())) - OF_ASTERISK
    )
    assert variables
    assert [name for name in variables if not name.startswith("RINGTRACE_")] == []


def test_the_dialplan_has_no_pattern_of_which_asterisk_warns() -> None:
    assert re.findall(r"exten => _[.!],", (source() / "ringtrace/dialplan.conf").read_text()) == []


def test_trunks_with_the_former_names_of_templates_are_renamed(places: Places) -> None:
    ours = places.home / "ringtrace"
    ours.mkdir()
    trunk = "[rt-shop](rt-carrier,rt-own-cli)\nset_var = RT_DID_FROM=to\n; (user-rt-1)\n"
    (ours / "trunks.conf").write_text(trunk)
    (ours / "trunk-secrets.conf").write_text("[rt-shop](rt-auth)\npassword = (rt-\n")
    write_includes(ours, places)
    assert (ours / "trunks.conf").read_text() == (
        "[rt-shop](ringtrace-carrier,ringtrace-own-cli)\nset_var = RINGTRACE_DID_FROM=to\n; "
        "(user-rt-1)\n"
    )
    assert (
        ours / "trunk-secrets.conf"
    ).read_text() == "[rt-shop](ringtrace-auth)\npassword = (rt-\n"


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("#include ringtrace/dialplan.conf", Level.WARN),
        ("#tryinclude ringtrace/pjsip.conf", Level.OK),
    ],
)
async def test_doctor_warns_of_a_host_that_cannot_start_without_our_files(
    tmp_path: Path, line: str, level: Level
) -> None:
    (tmp_path / "extensions.conf").write_text(f"[general]\n{line}\n")
    settings = Settings(
        asterisk="external", asterisk_etc_path=str(tmp_path), cel_log_path=str(tmp_path / "j.csv")
    )
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    finding = await includes(Case(settings=settings, store=store, secrets=None))
    await store.close()
    assert finding.level is level


async def test_doctor_finds_the_line_in_a_directory_that_the_host_includes(tmp_path: Path) -> None:
    for name in ("extensions.d", "ringtrace"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ours.conf").write_text("#include ringtrace/dialplan.conf\n")
    settings = Settings(
        asterisk="external", asterisk_etc_path=str(tmp_path), cel_log_path=str(tmp_path / "j.csv")
    )
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    finding = await includes(Case(settings=settings, store=store, secrets=None))
    await store.close()
    assert (finding.level, finding.found[:10]) == (Level.WARN, "ours.conf ")
