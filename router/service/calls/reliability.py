"""How our probabilities compare with the truth, where something tells it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from router.domain.attribution.calibration import (
    FEW,
    Bin,
    Case,
    Proof,
    bins,
    calibration_error,
    cases,
)
from router.service.ports import Store

# of a kind: more would move the figures by a hundredth, and take longer than readers wait
MOST_PROOFS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """What we gave against what was right. `error` is None where there are too few cases to
    tell.
    """

    cases: tuple[Case, ...]
    bins: tuple[Bin, ...]
    error: float | None  # expected calibration error, 0 to 1
    independent_error: float | None  # of those cases alone whose proof was not evidence too
    newest_only: bool = False  # there are older proofs in this time, too

    @property
    def circular(self) -> int:
        """Cases whose probability rests on the evidence that proves them."""
        return sum(case.circular for case in self.cases)

    @property
    def few(self) -> bool:
        """Too few to tell chance from error."""
        return len(self.cases) < FEW

    def proved_by(self, proof: Proof) -> int:
        """How many cases are known by this."""
        return sum(case.proof is proof for case in self.cases)


async def reliability(
    store: Store, site_id: str | None, since: datetime, until: datetime
) -> Reliability:
    """The calls of a site, or of all, whose visitor is known."""
    async with store.survey() as session:
        witnesses = await session.witnesses.find(site_id, since, until, MOST_PROOFS)
    known = cases(witnesses)
    independent = [case for case in known if not case.circular]
    return Reliability(
        cases=known,
        bins=bins(known),
        error=calibration_error(bins(known)) if len(known) >= FEW else None,
        independent_error=calibration_error(bins(independent)) if len(independent) >= FEW else None,
        newest_only=max(Counter(one.proof for one in witnesses).values(), default=0) == MOST_PROOFS,
    )
