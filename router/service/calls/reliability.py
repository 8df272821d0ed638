"""Compares probabilities with proved calls."""

from collections import Counter
from collections.abc import Sequence
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

# of each kind: more would hardly change the figures, and take too long
MOST_PROOFS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Probabilities compared with proofs. `error` is None with too few cases."""

    cases: tuple[Case, ...]
    bins: tuple[Bin, ...]
    error: float | None  # expected calibration error, 0 to 1
    independent_error: float | None  # of cases whose proof was not also evidence
    newest_only: bool = False  # there are older proofs in this period

    @property
    def circular(self) -> int:
        """Cases whose proof was also evidence for the probability."""
        return sum(case.circular for case in self.cases)

    @property
    def few(self) -> bool:
        """Whether there are too few cases for a result."""
        return len(self.cases) < FEW

    def proved_by(self, proof: Proof) -> int:
        """How many cases have this proof."""
        return sum(case.proof is proof for case in self.cases)


async def reliability(
    store: Store, site_id: str | None, since: datetime, until: datetime
) -> Reliability:
    """Compare the proved calls of a site, or of all."""
    async with store.survey() as session:
        witnesses = await session.witnesses.find(site_id, since, until, MOST_PROOFS)
    proofs = Counter(witness.proof for witness in witnesses)
    known = cases(witnesses)
    independent = [case for case in known if not case.circular]
    return Reliability(
        cases=known,
        bins=bins(known),
        error=_error(known),
        independent_error=_error(independent),
        newest_only=MOST_PROOFS in proofs.values(),
    )


def _error(cases: Sequence[Case]) -> float | None:
    if len(cases) < FEW:
        return None
    return calibration_error(bins(cases))
