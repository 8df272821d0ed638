"""How given probabilities and what was right are compared."""

import pytest

from router.domain.attribution.calibration import Case, Proof, bins, calibration_error


def known(probability: float, right: int, wrong: int) -> list[Case]:
    """Calls of one probability."""
    return [
        Case(call_id="c", proof=Proof.TAP, probability=probability, right=i < right, circular=False)
        for i in range(right + wrong)
    ]


def test_the_calibration_error_is_how_far_given_and_right_lie_apart_weighed_by_calls() -> None:
    parts = bins(known(0.9, 30, 10) + known(0.55, 6, 4))
    assert calibration_error(parts) == pytest.approx((40 * 0.15 + 10 * 0.05) / 50)
    assert calibration_error(bins([])) is None


def test_errors_in_both_directions_do_not_make_up_for_each_other() -> None:
    assert calibration_error(bins(known(0.9, 8, 2) + known(0.2, 3, 7))) == pytest.approx(0.1)


def test_empty_tenths_are_left_out_and_certainty_falls_into_the_last() -> None:
    assert [
        (part.low, part.cases)
        for part in bins(known(1.0, 3, 0) + known(0.95, 1, 0) + known(0, 0, 1))
    ] == [
        (0.0, 1),
        (0.9, 4),
    ]


def test_the_interval_narrows_with_more_calls_and_stays_within_0_and_1() -> None:
    (few,), (many,) = bins(known(0.7, 7, 3)), bins(known(0.7, 700, 300))
    assert many.right_to - many.right_from < (few.right_to - few.right_from) / 5
    (all_right,) = bins(known(0.95, 5, 0))
    assert 0.5 < all_right.right_from < all_right.right_to == 1
