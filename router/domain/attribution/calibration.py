"""Whether the probabilities we gave hold: of the calls that we put at 80 %, eight in ten should
have been right.

The truth of a call is known where something else than our judgement tells it: the number was tapped
on one visitor's page just before, the caller said a promo code, or a form carries the same phone
number.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import sqrt

from router.domain.attribution.terms import Evidence, Suspect

# a call this soon after a tap is the tapper's, if nobody else tapped
TAP_BEFORE = timedelta(minutes=2)
BINS = 10
FEW = 50  # cases below which a calibration error says more of chance than of us
_NORMAL_95 = 1.96


class Proof(StrEnum):
    """How a call's visitor is known; the surest first."""

    CODE = "code"
    FORM = "form"
    TAP = "tap"


_SAME_EVIDENCE = {Proof.CODE: Evidence.CODE, Proof.FORM: Evidence.FORM, Proof.TAP: Evidence.TAPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Something that says whose a call was."""

    call_id: str
    suspects: tuple[Suspect, ...]
    proof: Proof
    visitor_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A call whose visitor is known, against our likeliest suspect."""

    call_id: str
    proof: Proof
    probability: float
    right: bool
    circular: bool  # our probability rests on the very evidence that tells the truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Calls that were given about the same probability."""

    low: float
    high: float
    cases: int
    given: float  # mean probability
    right: float  # share
    right_from: float  # Wilson's 95 % interval of that share
    right_to: float


def cases(witnesses: Iterable[Witness]) -> tuple[Case, ...]:
    """One case a call. Where proofs differ the surest counts; where one names several visitors it
    proves nothing.
    """
    said: dict[str, dict[Proof, list[Witness]]] = {}
    for witness in witnesses:
        said.setdefault(witness.call_id, {}).setdefault(witness.proof, []).append(witness)
    found = []
    for proofs in said.values():
        clear = (
            proofs[p] for p in Proof if p in proofs and len({w.visitor_id for w in proofs[p]}) == 1
        )
        if witnesses_agree := next(clear, None):
            found += _case(witnesses_agree[0])
    return tuple(found)


def bins(known: Iterable[Case]) -> tuple[Bin, ...]:
    """The cases in tenths of probability; empty tenths are left out."""
    sorted_in: list[list[Case]] = [[] for _ in range(BINS)]
    for case in known:
        sorted_in[min(BINS - 1, int(case.probability * BINS))].append(case)
    return tuple(_bin(index, inside) for index, inside in enumerate(sorted_in) if inside)


def calibration_error(parts: Sequence[Bin]) -> float | None:
    """Expected calibration error: how far given and right lie apart, weighed by cases. None without
    cases.
    """
    total = sum(part.cases for part in parts)
    return (
        sum(part.cases * abs(part.given - part.right) for part in parts) / total if total else None
    )


def _case(witness: Witness) -> list[Case]:
    if not witness.suspects:
        return []  # we gave no probability
    likeliest = max(witness.suspects, key=lambda suspect: suspect.probability)
    shared = _SAME_EVIDENCE[witness.proof]
    return [
        Case(
            call_id=witness.call_id,
            proof=witness.proof,
            probability=likeliest.probability,
            right=likeliest.visitor_id == witness.visitor_id,
            circular=any(shared in suspect.evidence for suspect in witness.suspects),
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
