"""Setting up: sites, destinations, pools and numbers; numbers by the file-full."""

import pytest
from structlog.testing import capture_logs

from router.domain.visitors.site import NumberKind, Site, TrackingNumber
from router.errors import Conflict, InvalidInput, NotFound
from router.service.admin.setup import add, change, import_numbers, list_all, read_text, remove
from router.service.calls.routing import Routes
from router.store.engine import SqlStore
from tests.support.builders import (
    DID,
    NOON,
    OTHER_DID,
    destination,
    dynamic,
    furnish,
    pool,
    site,
    visit,
    visitor,
)
from tests.support.builders import lease as a_lease


async def test_what_names_something_that_is_not_there_is_refused_with_its_name(
    store: SqlStore,
) -> None:
    with pytest.raises(InvalidInput, match="no destination 'office': add it first"):
        await add(store, site())
    await add(store, destination())
    await add(store, site())
    with pytest.raises(InvalidInput, match="no pool 'main'"):
        await add(store, dynamic())
    with pytest.raises(InvalidInput, match="no destination 'gone'"):
        await change(store, site(destination_id="gone"))


async def test_what_is_there_is_not_added_twice_and_what_is_used_not_removed(
    store: SqlStore,
) -> None:
    await furnish(store)
    with pytest.raises(Conflict):
        await add(store, pool())
    with pytest.raises(Conflict):
        await remove(store, Site, "shop")
    with pytest.raises(NotFound):
        await remove(store, TrackingNumber, "+7000")
    await remove(store, TrackingNumber, DID)
    assert [number.e164 for number in await list_all(store, TrackingNumber, pool_id="main")] == [
        OTHER_DID
    ]


async def test_a_number_that_was_taken_out_and_comes_back_is_its_visitors_still(
    store: SqlStore,
) -> None:
    await furnish(store, visitor(), visit())
    async with store.write() as session:
        await session.leases.save([a_lease()])
    for bring_back in (
        lambda: add(store, dynamic(free_at=NOON)),
        lambda: bring(store, f"number,pool\n{DID},main\n"),
    ):
        await remove(store, TrackingNumber, DID)
        await bring_back()
        [number] = [
            number
            for number in await list_all(store, TrackingNumber, pool_id="main")
            if number.e164 == DID
        ]
        assert number.free_at == a_lease().ends_at > NOON


CSV = "number,pool,destination,channel\n+7 495 000-00-11,main,,\n84950000012,,office,Щит\n"


async def bring(
    store: SqlStore, text: str, *, partly: bool = False
) -> tuple[list[str], list[tuple[int, str]]]:
    done = await import_numbers(store, text, site_id="shop", now=NOON, partly=partly)
    return [number.e164 for number in done.added], [(bad.line, bad.reason) for bad in done.bad]


SHEETS = [
    CSV,
    "\ufeff" + CSV,
    CSV.replace(",", ";"),
    CSV.replace(",", "\t"),
    CSV.replace("\n", "\r\n"),
]


@pytest.mark.parametrize("text", SHEETS, ids=["plain", "Excel", "semicolons", "tabs", "CRLF"])
async def test_a_file_of_numbers_is_read_as_spreadsheets_write_it(
    text: str, store: SqlStore
) -> None:
    await furnish(store, numbers=[])
    assert await bring(store, text) == (["+74950000011", "+74950000012"], [])
    numbers = await list_all(store, TrackingNumber)
    assert [(n.kind, n.pool_id, n.destination_id, n.channel) for n in numbers] == [
        (NumberKind.DYNAMIC, "main", None, None),
        (NumberKind.STATIC, None, "office", "Щит"),
    ]


BAD = (
    "number,pool,destination,channel\n"
    "+74950000021,main,,\n"
    "rubbish,main,,\n"
    "+74950000022,nowhere,,\n"
    "+74950000021,main,,again\n"
    f"{DID},main,,\n"
    ",main,,\n"
    "+74950000023,main,,,more\n"
    "+74950000024\n"
)


async def test_bad_lines_are_named_and_nothing_is_taken(store: SqlStore) -> None:
    await furnish(store)
    added, bad = await bring(store, BAD)
    assert added == []
    assert [line for line, _ in bad] == [3, 4, 5, 6, 7, 8]
    for (_, reason), word in zip(
        bad, ["not a phone", "nowhere", "twice", "already", "missing", "more"], strict=True
    ):
        assert word in reason
    assert len(await list_all(store, TrackingNumber)) == 3


async def test_the_good_lines_are_taken_when_that_is_asked_for(store: SqlStore) -> None:
    await furnish(store)
    added, bad = await bring(store, BAD, partly=True)
    assert added == ["+74950000021", "+74950000024"]
    assert len(bad) == 6


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "e164,pool\n+7495,main\n",
        "number,colour\n",
        "x" * 200_000,
        "number\n" + "9" * 200_000,
    ],
    ids=["empty", "blank", "no number", "unknown column", "long line", "long cell"],
)
async def test_a_file_that_is_no_list_of_numbers_says_why(text: str, store: SqlStore) -> None:
    await furnish(store)
    with pytest.raises(InvalidInput, match=r"first line must name|is not CSV"):
        await bring(store, text)


async def test_a_text_that_no_database_keeps_is_refused_and_nothing_taken(store: SqlStore) -> None:
    await furnish(store, numbers=[])
    try:
        await bring(store, "number,channel\n+74950000031,a\0b\n+74950000032,c\n")
    except InvalidInput:
        assert await list_all(store, TrackingNumber) == []
    else:
        assert len(await list_all(store, TrackingNumber)) == 2


# The agent's routes


async def test_routes_are_loaded_once_and_again_when_something_changed(store: SqlStore) -> None:
    await furnish(store)
    routes = Routes(store)
    assert not routes.loaded
    assert [await routes.refresh(), await routes.refresh()] == [True, False]
    assert routes.loaded
    await add(store, destination("sales"))
    await change(store, site(destination_id="sales"))
    assert await routes.refresh()
    assert (await routes.answer(DID, NOON)).split("|")[1] == "sales"


async def test_the_answer_tells_who_calls_only_while_the_lease_lasts(store: SqlStore) -> None:
    await furnish(store, visitor(), visit(campaign="Осень | 2026"))
    await change(store, destination(send_client_id=True, send_source=True))
    async with store.write() as session:
        await session.leases.save([a_lease()])
    routes = Routes(store)
    await routes.refresh()
    told = f"{DID}|office|lease-1||123.456|Осень 2026|PJSIP/company~20"
    assert await routes.answer(DID, NOON) == told
    assert await routes.answer(DID, a_lease().ends_at) == f"{DID}|office|||||PJSIP/company~20"
    assert await routes.answer("nobody's", NOON) == "|office|||||PJSIP/company~20"


async def test_without_anything_set_up_the_answer_leads_nowhere(store: SqlStore) -> None:
    routes = Routes(store)
    await routes.refresh()
    assert await routes.answer(DID, NOON) == "||||||"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_numbers_may_be_saved_as_unicode_text(encoding: str) -> None:
    assert read_text(CSV.encode(encoding)) == CSV


async def test_what_is_wrong_with_a_file_of_numbers_is_said_with_its_own_words(
    store: SqlStore,
) -> None:
    await furnish(store)
    with pytest.raises(InvalidInput, match="Номер телефона"):
        await bring(store, "Номер телефона;Пул\n84950000012;main\n")
    twice = "number\n84950000012\n+74950000012\n"
    assert await bring(store, twice) == ([], [(3, "+74950000012 is in the file twice")])


async def test_empty_rows_of_a_sheet_are_passed_over(store: SqlStore) -> None:
    await furnish(store)
    assert await bring(store, "number,pool\n84950000012,main\n,\n\n,,,\n") == (["+74950000012"], [])


async def test_each_change_of_configuration_leaves_one_line(store: SqlStore) -> None:
    with capture_logs() as logs:
        await add(store, destination())
        await add(store, site())
        await add(store, pool())
        await bring(store, CSV)
        await remove(store, TrackingNumber, "+74950000011")
    changed = [
        (line["action"], line["kind"], line["key"])
        for line in logs
        if line["event"] == "configuration_changed"
    ]
    assert changed == [
        ("added", "Destination", "office"),
        ("added", "Site", "shop"),
        ("added", "Pool", "main"),
        ("added", "TrackingNumber", "+74950000011 …"),
        ("removed", "TrackingNumber", "+74950000011"),
    ]
