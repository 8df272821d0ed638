"""Counts that are cut say so."""

from datetime import UTC, datetime

import pytest
from babel import Locale

from router.web.formats import Formats


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0"), (444, "444"), (1000, "1,000"), (1001, "1,000+")]
)
def test_a_count_beyond_the_most_is_no_exact_number(count: int, said: str) -> None:
    formats = Formats(locale=Locale("en"), zone=UTC, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert formats.at_most(count, 1000) == said
