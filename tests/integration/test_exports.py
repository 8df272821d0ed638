"""Exports of the list of calls: tables that spreadsheets open, and recordings in parts."""

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call, Recording, Tag
from router.domain.calls.columns import Column
from router.errors import NotFound
from router.exports import xlsx_file
from router.exports.csv_file import csv_rows
from router.service.calls import recordings_export
from router.service.calls.ports import Audio
from router.store import walks
from tests.support.web_calls import HOSTILE, a_call, a_recording, furnish
from tests.support.web_world import SOUND, MemoryStorage, World, a_world

ALL = ".".join(Column)
FORMULAS = ("=1+1", "+7916", "-2+3", "@SUM(A1)", "\tx", "\rx", " =1+1", "＝1+1")


class Storage(MemoryStorage):
    """A storage that can lose recordings."""

    def __init__(self) -> None:
        self.lost: set[str] = set()

    async def open(self, recording: Recording, start: int = 0, length: int | None = None) -> Audio:
        if recording.call_id in self.lost:
            raise NotFound("The recording is no longer in the storage.")
        return await super().open(recording, start, length)


@pytest.fixture
def storage() -> Storage:
    return Storage()


@pytest.fixture
async def world(tmp_path: Path, storage: Storage) -> AsyncIterator[World]:
    async with a_world(tmp_path, listening=storage) as world:
        await furnish(world)
        yield world


def table(answer: httpx.Response, separator: str = ",") -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    text = answer.content.decode("utf-8-sig")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def sheet(content: bytes) -> list[list[str]]:
    """The cells of the first worksheet; a formula is an error."""
    space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        root = ElementTree.fromstring(file.read("xl/worksheets/sheet1.xml"))
    assert root.find(".//s:f", space) is None
    assert root.find(".//s:hyperlink", space) is None
    return [
        ["".join(cell.itertext()) for cell in row.iterfind("s:c", space)]
        for row in root.iterfind(".//s:row", space)
    ]


# tables


async def test_a_table_is_what_the_list_shows_in_its_order(world: World) -> None:
    anna = await world.person("anna")
    path = "/calls/export.csv?ending=busy&ending=answered&columns=id.caller.ending.talk.campaign"
    rows = table(await anna.get(path))
    assert rows[0] == ["Call ID", "Caller", "Outcome", "Talk, seconds", "Campaign"]
    assert [row[0][-1] for row in rows[1:]] == ["1", "2", "4", "5", "6", "7"]
    assert rows[1][1:] == ["'+79161234567 Ivan Petrov", "Answered", "124", "winter-tyres"]
    answer = await anna.get(path)
    assert answer.headers["content-disposition"] == 'attachment; filename="calls-2026-01-20.csv"'


async def test_a_table_is_in_the_readers_language_and_zone(world: World) -> None:
    anna = await world.person("anna")
    anna.cookies.set("ringtrace_zone", "Europe/Moscow")
    headers = {"Accept-Language": "ru"}
    rows = table(await anna.get("/calls/export.csv?columns=time.caller.wait", headers=headers), ";")
    assert rows[0] == ["Время (Europe/Moscow)", "Звонящий", "Ожидание, секунд"]
    assert rows[1][0] == "2026-01-20 14:25:00"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_no_text_of_a_caller_is_a_formula(world: World, kind: str) -> None:
    calls = [
        a_call(f"f{number}", world.clock.now, caller=None, caller_raw=text, caller_name="")
        for number, text in enumerate(FORMULAS)
    ]
    await world.save(*calls)
    anna = await world.person("anna")
    answer = await anna.get(f"/calls/export.{kind}?columns={ALL}")
    rows = table(answer) if kind == "csv" else sheet(answer.content)
    assert len(rows) == 1 + 8 + len(FORMULAS)
    if kind == "csv":
        cells = [cell for row in rows for cell in row]
        assert [cell for cell in cells if cell.lstrip(" ").startswith(FORMULAS)] == []
        assert {f"'{text}" for text in FORMULAS} <= set(cells)
    assert any(HOSTILE[:40] in cell for row in rows for cell in row)


async def test_a_workbook_has_the_cells_of_the_table_as_numbers_and_dates(world: World) -> None:
    anna = await world.person("anna")
    query = "?columns=id.caller.talk.tags&tag=missed"
    rows = sheet((await anna.get(f"/calls/export.xlsx{query}")).content)
    assert [row[0] for row in rows] == ["Call ID", "pbx-1768912345.1", "pbx-1768912345.3"]
    assert rows[1][1] == "+79161234567 Ivan Petrov"
    assert rows[1][2] == "124"


async def test_rows_beyond_a_worksheet_go_on_in_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_file, "ROWS", 4)
    anna = await world.person("anna")
    content = (await anna.get("/calls/export.xlsx?columns=id.caller")).content
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        names = [name for name in file.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(names) == 3  # three calls each, below their titles
    assert not list(Path("/tmp").glob("ringtrace-export-*/calls.xlsx")), "files are left behind"


async def test_marked_calls_are_exported_alone(world: World) -> None:
    anna = await world.person("anna")
    ids = ["pbx-1768912345.7", "pbx-1768912345.3", "unknown"]
    rows = table(await anna.post("/calls/export.csv?columns=id.caller", data={"call": ids}))
    assert [row[0][-1] for row in rows[1:]] == ["3", "7"]
    foreign = await anna.post(
        "/calls/export.csv", data={"call": ids}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403


async def test_programs_export_with_the_filters_of_an_address_or_a_view(world: World) -> None:
    program = world.program(Scope.CALLS_READ)
    path = "/api/v1/calls/export.csv"
    rows = table(await program.get(f"{path}?not_ending=answered&columns=id.caller"))
    assert [row[0][-1] for row in rows[1:]] == ["3", "7", "8"]
    view = await world.program(Scope.CONFIG_WRITE).post(
        "/api/v1/views", json={"name": "Busy", "query": "ending=busy", "columns": ["id"]}
    )
    rows = table(await program.get(f"{path}?view={view.json()['id']}"))
    assert rows[0] == ["Caller", "Call ID"]
    assert len(rows) == 2
    refused = await world.program(Scope.CONFIG_WRITE).get(path)
    assert refused.status_code == 403
    assert (await program.get(f"{path}?view=nothing")).status_code == 404


def test_a_cell_keeps_its_text() -> None:
    rows = csv_rows([['a"b', "x\ny", "semi;colon", -3, None, "-3", HOSTILE]], ";").decode()
    assert next(csv.reader(io.StringIO(rows, newline=""), delimiter=";")) == [
        'a"b', "x\ny", "semi;colon", "-3", "", "'-3", HOSTILE,
    ]  # fmt: skip


# recordings


async def recorded(world: World, count: int) -> list[Call]:
    """So many calls with recordings, the newest first."""
    began = datetime(2026, 1, 10, tzinfo=UTC)
    calls = [
        a_call(f"r{number}", began - timedelta(minutes=number), caller=f"+7916{number:07}")
        for number in range(count)
    ]
    async with world.store.write() as session:
        await session.calls.save(calls)
        await session.recordings.save([a_recording(call) for call in calls])
        for call in calls:
            await session.tags.add(Tag(call_id=call.id, name="keep", author="x", at=began))
            await session.calls.touch(call.id)
    return calls


def archive(answer: httpx.Response) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    file = zipfile.ZipFile(io.BytesIO(answer.content))
    assert file.testzip() is None
    return file


def links_to(path: str, html: str) -> list[str]:
    """The addresses of this path that a page leads to."""
    found = re.findall(rf'href="({re.escape(path)}\?[^"]*(?:last|part)=[^"]*)"', html)
    return [address.replace("&amp;", "&") for address in found]


async def test_recordings_are_an_archive_with_a_manifest(world: World, storage: Storage) -> None:
    calls = await recorded(world, 3)
    storage.lost.add(calls[1].id)
    anna = await world.person("anna")
    anna.cookies.set("ringtrace_zone", "Europe/Moscow")
    file = archive(await anna.get("/calls/recordings.zip?tag=keep"))
    assert file.namelist() == [
        "manifest.csv",
        "2026-01-10_030000_79160000000_pbx-1768912345.r0.mp3",
        "2026-01-10_025800_79160000002_pbx-1768912345.r2.mp3",
    ]
    assert file.read(file.namelist()[1]) == SOUND
    manifest = list(csv.DictReader(io.StringIO(file.read("manifest.csv").decode("utf-8-sig"))))
    assert [row["file"] for row in manifest] == [file.namelist()[1], "", file.namelist()[2]]
    assert manifest[0]["sha256"] == hashlib.sha256(SOUND).hexdigest()
    assert manifest[1]["missing"] == "The recording is no longer in the storage."


async def test_parts_hold_every_recording_once_although_calls_arrive_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings_export, "MOST_CALLS", 3)
    calls = await recorded(world, 7)
    anna = await world.person("anna")
    links = links_to("/calls/recordings.zip", (await anna.get("/calls/recordings?tag=keep")).text)
    assert len(links) == 3
    later = a_call("late", datetime(2026, 1, 10, 1, tzinfo=UTC))
    async with world.store.write() as session:
        await session.calls.save([later])
        await session.recordings.save([a_recording(later)])
        await session.tags.add(Tag(call_id=later.id, name="keep", author="x", at=later.arrived_at))
        await session.calls.touch(later.id)
    found: list[str] = []
    for link in (links[0], *links):  # one is fetched again
        names = archive(await anna.get(link)).namelist()[1:]
        found += [name for name in names if name not in found]
    assert [name for name in found if "late" not in name] == sorted(
        (name for name in found if "late" not in name), reverse=True
    )
    assert len(found) == len(calls) + 1


@pytest.mark.parametrize("at_once", [1, 2, 50])
async def test_the_list_of_parts_goes_on_where_it_ended(
    at_once: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings_export, "MOST_CALLS", 3)
    monkeypatch.setattr(recordings_export, "MOST_PARTS", at_once)
    await recorded(world, 7)
    anna = await world.person("anna")
    following, numbers, names = ["/calls/recordings?tag=keep"], [], []
    while following:
        html = (await anna.get(following[0])).text
        numbers += re.findall(r">Part (\d+)<", html)
        for link in links_to("/calls/recordings.zip", html):
            names += archive(await anna.get(link)).namelist()[1:]
        following = links_to("/calls/recordings", html)
    assert numbers == ["1", "2", "3"]
    assert len(names) == len(set(names)) == 7


async def test_the_list_of_parts_goes_on_where_a_bounded_search_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "CHEAP", (2, 3))
    await recorded(world, 7)
    anna = await world.person("anna")
    following, calls, requests = ["/calls/recordings?direction=incoming&until=2026-01-10"], 0, 0
    while following:
        html = (await anna.get(following[0])).text
        calls += sum(map(int, re.findall(r">(\d+) recordings?", html)))
        following, requests = links_to("/calls/recordings", html), requests + 1
    assert calls == 7
    assert requests > 1


async def test_programs_go_from_part_to_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings_export, "MOST_BYTES", 2 * len(SOUND))
    await recorded(world, 5)
    program = world.program(Scope.CALLS_READ)
    path, counts = "/api/v1/calls/export.zip?tag=keep", []
    while path:
        answer = await program.get(path)
        counts.append(len(archive(answer).namelist()) - 1)
        path = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
    assert counts == [2, 2, 1]
    assert (await program.get("/api/v1/calls/export.zip?tag=nothing")).status_code == 404


async def test_marked_calls_are_one_archive(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings_export, "MOST_CALLS", 2)
    calls = await recorded(world, 4)
    marked = {"call": [call.id for call in calls]}
    answer = await (await world.person("anna")).post("/calls/recordings.zip", data=marked)
    assert len(archive(answer).namelist()) == 5
