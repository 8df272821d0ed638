"""Checks whether probabilities are calibrated: of the calls given 80 %, eight in ten should be
right. A call's visitor is proved if only one visitor tapped the number just before, if the
caller gave a promo code, or if a form has the same phone number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import sqrt

from router.domain.attribution.terms import Candidate, Evidence

# a call this soon after a tap is by that visitor, if no other visitor tapped
TAP_BEFORE = timedelta(minutes=2)
BINS = 10
FEW = 50  # with fewer cases a calibration error is mostly chance
_NORMAL_95 = 1.96


class Proof(StrEnum):
    """How a call's visitor is proved, the most certain first."""

    CODE = "code"
    FORM = "form"
    TAP = "tap"


_SAME_EVIDENCE = {Proof.CODE: Evidence.CODE, Proof.FORM: Evidence.FORM, Proof.TAP: Evidence.TAPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A proof of a call's visitor."""

    call_id: str
    candidates: tuple[Candidate, ...]
    proof: Proof
    visitor_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A call whose visitor is proved, and the likeliest candidate."""

    call_id: str
    proof: Proof
    probability: float
    right: bool
    circular: bool  # the proof was also evidence for the probability


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Calls with about the same probability."""

    low: float
    high: float
    cases: int
    given: float  # mean probability
    right: float  # share
    right_from: float  # Wilson's 95 % interval of that share
    right_to: float


def cases(witnesses: Iterable[Witness]) -> tuple[Case, ...]:
    """One case for each call. If proofs differ, the most certain counts; a proof of several
    visitors is ignored.
    """
    said: dict[str, dict[Proof, list[Witness]]] = {}
    for witness in witnesses:
        said.setdefault(witness.call_id, {}).setdefault(witness.proof, []).append(witness)
    found = []
    for proofs in said.values():
        clear = _clear(proofs)
        if clear is not None:
            found += _case(clear)
    return tuple(found)


def _clear(proofs: Mapping[Proof, Sequence[Witness]]) -> Witness | None:
    """One of the witnesses of the most certain proof that is of one visitor only."""
    for proof in Proof:
        said = proofs.get(proof, ())
        if len({witness.visitor_id for witness in said}) == 1:
            return said[0]
    return None


def bins(known: Iterable[Case]) -> tuple[Bin, ...]:
    """The cases in tenths of probability, without empty ones."""
    sorted_in: list[list[Case]] = [[] for _ in range(BINS)]
    for case in known:
        sorted_in[min(BINS - 1, int(case.probability * BINS))].append(case)
    return tuple(_bin(index, inside) for index, inside in enumerate(sorted_in) if inside)


def calibration_error(parts: Sequence[Bin]) -> float | None:
    """Expected calibration error, weighted by cases. None without cases."""
    total = sum(part.cases for part in parts)
    if not total:
        return None
    return sum(part.cases * abs(part.given - part.right) for part in parts) / total


def _case(witness: Witness) -> list[Case]:
    if not witness.candidates:
        return []  # no probability was given
    likeliest = max(witness.candidates, key=lambda candidate: candidate.probability)
    shared = _SAME_EVIDENCE[witness.proof]
    return [
        Case(
            call_id=witness.call_id,
            proof=witness.proof,
            probability=likeliest.probability,
            right=likeliest.visitor_id == witness.visitor_id,
            circular=any(shared in candidate.evidence for candidate in witness.candidates),
        )
    ]


def _bin(index: int, inside: Sequence[Case]) -> Bin:
    count, right = len(inside), sum(case.right for case in inside)
    share, square = right / count, _NORMAL_95**2 / count
    middle = (share + square / 2) / (1 + square)
    reach = _NORMAL_95 * sqrt(share * (1 - share) / count + square / count / 4) / (1 + square)
    return Bin(
        low=index / BINS,
        high=(index + 1) / BINS,
        cases=count,
        given=sum(case.probability for case in inside) / count,
        right=share,
        right_from=max(0.0, middle - reach),
        right_to=min(1.0, middle + reach),
    )
