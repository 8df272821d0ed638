"""Parts of a recording, as players ask for them."""

import pytest

from router.web.ranges import Part, Unsatisfiable, read_range


@pytest.mark.parametrize(
    ("header", "start", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 99),
        ("bytes=40-", 40, 99),
        ("bytes=40-50", 40, 50),
        ("bytes=40-5000", 40, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-5000", 0, 99),
        ("bytes= 7-9 ", 7, 9),
    ],
)
def test_a_range_names_its_first_and_last_byte(header: str, start: int, last: int) -> None:
    assert read_range(header, 100) == Part(start=start, last=last, total=100)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=9-7",
        "bytes=1-2,5-6",
        "lines=1-2",
        "bytes=a-b",
        "bytes=1-٢",
    ],
)
def test_what_is_no_single_range_means_the_whole(header: str | None) -> None:
    assert read_range(header, 100) is None


@pytest.mark.parametrize(
    "header", ["bytes=100-", "bytes=100-200", "bytes=999999999999999999-", "bytes=-0"]
)
def test_a_range_beyond_the_end_cannot_be_had(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        read_range(header, 100)


def test_the_answer_names_the_part_and_the_whole() -> None:
    part = read_range("bytes=10-19", 100)
    assert part is not None
    assert (part.length, part.content_range) == (10, "bytes 10-19/100")
