"""What a CRM makes of a client ID and of a stage: nothing is believed that it saved otherwise."""

from collections.abc import Callable

import pytest

from router.domain.delivery.connection import Mode, Rules
from tests.unit.test_crm_update import ANNA, BORIS, DEAL, Books, call_of, update

CHANGES: dict[str, Callable[[str], str]] = {
    "cut": lambda text: text[:12],
    "in capitals": str.upper,
    "with a comma": lambda text: text.replace(".", ","),
}


@pytest.mark.parametrize("change", ["cut", "in capitals", "with a comma"])
@pytest.mark.parametrize("mode", Mode)
async def test_a_client_id_that_the_crm_saves_changed_is_not_believed(
    change: str, mode: Mode
) -> None:
    given = "abcdef.1700000000" if change == "in capitals" else "123456789.1700000001"
    books = Books(entities={DEAL: {}} if mode is Mode.TELEPHONY else {}, saves=CHANGES[change])
    done = await update(books, call_of(given), Rules(settle=0, prefer=0), mode=mode)
    assert f"saved the client ID as '{CHANGES[change](given)}'" in str(done.fault)
    assert done.without == {ref for ref, _ in done.entities}


async def test_spaces_around_a_client_id_make_no_other_one() -> None:
    books = Books(entities={DEAL: {"cid": f" {ANNA} "}}, open={DEAL}, saves=lambda text: f"{text} ")
    done = await update(books, call_of(ANNA))
    assert (done.client_id, done.without) == (ANNA, frozenset())


@pytest.mark.parametrize("mode", Mode)
async def test_a_client_id_that_others_write_meanwhile_is_theirs(mode: Mode) -> None:
    books = Books(entities={DEAL: {}} if mode is Mode.TELEPHONY else {}, saves=lambda _: BORIS)
    done = await update(books, call_of(ANNA), Rules(settle=0, prefer=0), mode=mode)
    assert "keeps 3.4" in str(done.said)
    assert done.without == {ref for ref, _ in done.entities}


async def test_where_a_stage_is_gone_the_crm_chooses_another_and_the_receipt_names_it() -> None:
    books = Books(refuses={"stage"})
    done = await update(books, call_of(ANNA), Rules(fields={"source": "src"}))
    assert list(books.entities.values()) == [{"cid": ANNA, "src": "google"}] * 2
    assert "without stage: no such stage" in str(done.said)
