"""A forger beside the honest visitors of a simulated site: how many of their calls each forgery
takes.

Only calls that were rightly given to a visitor on the page are looked at, from phones that had not
called before: what a forger takes there is plainly wrong.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from router.domain.attribution.inference import attribute
from router.domain.attribution.model import Model
from router.domain.attribution.terms import CallContext, Candidate, CandidateFacts, Earlier, Verdict
from tests.bench.figure import Figure
from tests.bench.judges import Judged
from tests.bench.simulated_site import SimSite

MOST = 500  # calls
Forgery = Callable[[CallContext], CallContext]


def forgeries() -> Iterator[tuple[str, Forgery, float | None]]:
    """Each with its name and how many percent of the calls it may take."""
    yield "a forged form", lambda context: _with(context, _evil("evil")), 0.0
    yield (
        "three forged forms",
        lambda context: _with(context, *(_evil(f"evil{i}") for i in range(3))),
        0.0,
    )
    yield "a form by a former holder", _former_holder, 0.0
    for name, days in (("2 days", 2.0), ("1 hour", 1 / 24)):
        yield f"the first forged caller ID, {name} before", _spoofed(days), None


def measure(site: SimSite, attributed: Judged, setting: str) -> list[Figure]:
    """One figure for each forgery."""
    honest = list(_honest(site, attributed))[-MOST:]
    figures = []
    for name, forge, most in forgeries():
        lost = sum(
            _lost(forge(context), visitor_id, attributed.model) for context, visitor_id in honest
        )
        share = 100 * lost / max(1, len(honest))
        aim = {} if most is None else {"aim": f"≤ {most:g} %", "met": share <= most}
        note = f"of {len(honest)} calls from the page"
        figures.append(
            Figure(name=f"{setting}: calls taken by {name}", ours=share, unit="%", note=note, **aim)
        )
    return figures


def _honest(site: SimSite, attributed: Judged) -> Iterator[tuple[CallContext, str]]:
    for call, context in zip(site.calls, attributed.questions, strict=True):
        found = attribute(context, attributed.model)
        named = found.named and found.named.visitor_id
        if found.verdict is Verdict.EXACT and not context.earlier and named == f"v{call.visitor}":
            yield context, named


def _lost(context: CallContext, visitor_id: str, model: Model) -> bool:
    named = attribute(context, model).named
    return named is not None and named.visitor_id != visitor_id


def _with(context: CallContext, *more: CandidateFacts) -> CallContext:
    return replace(context, candidates=(*context.candidates, *more))


def _evil(visitor_id: str) -> CandidateFacts:
    return CandidateFacts(
        lease=None, visitor_id=visitor_id, visit_id=f"{visitor_id}-1", source="evil", form=True
    )


def _former_holder(context: CallContext) -> CallContext:
    """The last one who held the number before leaves a form with the caller's phone."""
    held = [candidate for candidate in context.candidates if candidate.lease is not None]
    if len(held) < 2:
        return _with(context, _evil("evil"))
    return replace(
        context,
        candidates=tuple(
            replace(candidate, form=candidate is held[1] or candidate.form)
            for candidate in context.candidates
        ),
    )


def _spoofed(days: float) -> Forgery:
    """The forger held this number then, and called it with the caller's number as their own."""

    def forge(context: CallContext) -> CallContext:
        who = Candidate(lease_id=None, visitor_id="evil", visit_id="evil-1", probability=0.945)
        number = context.number.e164 if context.number else None
        before = Earlier(at=context.at - timedelta(days=days), number=number, candidates=(who,))
        return replace(_with(context, replace(_evil("evil"), form=False)), earlier=(before,))

    return forge
