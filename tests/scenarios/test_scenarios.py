"""Recorded CEL logs, each of one real call or a few, and the calls that must come of them.

`name.csv` is what Asterisk wrote, untouched. `name.json` lists the calls expected, in the order of
their arrival, with the facts that matter in this scenario; legs are role, step and cause, transfers
are kind, target, outcome, who answered and the wait, periods are kind and length. Each production
surprise becomes one more pair.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from router.asterisk.cel_log import CelLog
from router.domain.calls.call import Call, Transfer
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Ledger, Row

HERE = Path(__file__).parent
SCENARIOS = sorted(HERE.glob("*.csv"))


def rows(path: Path) -> list[Row]:
    """Every row of a CEL log, all of which must be readable."""
    cel_log, read = CelLog(path), list[Row]()
    batch = cel_log.read(None)
    while batch:
        assert batch.rejected == []
        read += batch.rows
        batch = cel_log.read(batch.cursor)
    return read


def learned(told: list[Row], batch: int) -> dict[str, Call]:
    """The calls as the agent would keep them, reading `batch` rows at once."""
    ledger, calls = Ledger(), dict[str, Call]()
    for start in range(0, len(told), batch):
        for row in told[start : start + batch]:
            ledger.add(row)
        groups, _ = ledger.touched()
        ledger.settle()
        calls |= {call.id: call for group in groups for call in fold(group.rows)}
    assert list(ledger) == []
    return calls


def facts(call: Call) -> dict[str, Any]:
    """A call in the words of the expectations."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(call), default=str))
    return {
        **plain,
        "wait_seconds": round(call.wait_seconds, 1),
        "talk_seconds": round(call.talk_seconds, 1),
        "hold_seconds": round(call.hold_seconds, 1),
        "transfer_seconds": round(call.transfer_seconds, 1),
        "transfers": [_transfer(transfer) for transfer in call.transfers],
        "periods": [[period.kind, round(period.seconds, 1)] for period in call.periods],
        "legs": [[leg.role, leg.step, leg.cause] for leg in call.legs],
    }


def _transfer(transfer: Transfer) -> list[Any]:
    return [
        transfer.kind,
        transfer.to,
        transfer.outcome,
        transfer.answered_by,
        round(transfer.wait_seconds, 1),
    ]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_calls_come_out_as_expected(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    calls = sorted(learned(rows(path), 10**9).values(), key=lambda call: (call.arrived_at, call.id))
    found = [facts(call) for call in calls]
    assert [
        {name: row[name] for name in wanted} for row, wanted in zip(found, expected, strict=True)
    ] == expected


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_parts_of_a_call_add_up_to_the_whole(path: Path) -> None:
    for call in learned(rows(path), 10**9).values():
        assert call.ended_at is not None
        parts = (call.wait_seconds, call.talk_seconds, call.hold_seconds, call.transfer_seconds)
        assert sum(parts) == pytest.approx((call.ended_at - call.arrived_at).total_seconds())
        edges = [period.ended_at for period in call.periods[:-1]]
        assert edges == [period.started_at for period in call.periods[1:]]


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_size_of_the_batches_changes_nothing(path: Path, batch: int) -> None:
    told = rows(path)
    assert learned(told, batch) == learned(told, len(told))


def test_every_cel_log_has_its_expectation_and_every_expectation_its_cel_log() -> None:
    assert {path.stem for path in HERE.glob("*.json")} == {path.stem for path in SCENARIOS} != set()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_rows_that_are_written_or_read_twice_count_once(path: Path) -> None:
    once = rows(path)
    half = len(once) // 2
    right = learned(once, 10**9)
    assert learned([row for row in once for row in (row, row)], 10**9) == right
    assert learned([*once[:half], *once], 10**9) == right, "truncated, and read again from 0"
