"""Whatever is in the CEL log: the reader goes on, and the call behind it is learned."""

from pathlib import Path

import pytest

from router.store.engine import SqlStore
from tests.integration.mutated_rows import learn_mutated


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_row_whatever_it_says_keeps_the_next_call_from_being_learned(
    seed: int, store: SqlStore, tmp_path: Path
) -> None:
    learned = await learn_mutated(store, tmp_path, seed, 1_500)
    assert learned.set_aside > 100
