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
from router.domain.attribution.terms import Candidate, Earlier, Question, Suspect, Verdict
from tests.bench.figure import Figure
from tests.bench.judges import Judged
from tests.bench.simulated_site import SimSite

MOST = 500  # calls
Forgery = Callable[[Question], Question]


def forgeries() -> Iterator[tuple[str, Forgery, float | None]]:
    """Each with its name and how many percent of the calls it may take."""
    yield "a forged form", lambda question: _with(question, _evil("evil")), 0.0
    yield (
        "three forged forms",
        lambda question: _with(question, *(_evil(f"evil{i}") for i in range(3))),
        0.0,
    )
    yield "a form by a former holder", _former_holder, 0.0
    for name, days in (("2 days", 2.0), ("1 hour", 1 / 24)):
        yield f"the first forged caller ID, {name} before", _spoofed(days), None


def measure(site: SimSite, judged: Judged, setting: str) -> list[Figure]:
    """One figure for each forgery."""
    honest = list(_honest(site, judged))[-MOST:]
    figures = []
    for name, forge, most in forgeries():
        lost = sum(
            _lost(forge(question), visitor_id, judged.model) for question, visitor_id in honest
        )
        share = 100 * lost / max(1, len(honest))
        aim = {} if most is None else {"aim": f"≤ {most:g} %", "met": share <= most}
        note = f"of {len(honest)} calls from the page"
        figures.append(
            Figure(name=f"{setting}: calls taken by {name}", ours=share, unit="%", note=note, **aim)
        )
    return figures


def _honest(site: SimSite, judged: Judged) -> Iterator[tuple[Question, str]]:
    for call, question in zip(site.calls, judged.questions, strict=True):
        found = attribute(question, judged.model)
        named = found.named and found.named.visitor_id
        if found.verdict is Verdict.EXACT and not question.earlier and named == f"v{call.visitor}":
            yield question, named


def _lost(question: Question, visitor_id: str, model: Model) -> bool:
    named = attribute(question, model).named
    return named is not None and named.visitor_id != visitor_id


def _with(question: Question, *more: Candidate) -> Question:
    return replace(question, candidates=(*question.candidates, *more))


def _evil(visitor_id: str) -> Candidate:
    return Candidate(
        lease=None, visitor_id=visitor_id, visit_id=f"{visitor_id}-1", source="evil", form=True
    )


def _former_holder(question: Question) -> Question:
    """The last one who held the number before leaves a form with the caller's phone."""
    held = [one for one in question.candidates if one.lease is not None]
    if len(held) < 2:
        return _with(question, _evil("evil"))
    return replace(
        question,
        candidates=tuple(
            replace(one, form=one is held[1] or one.form) for one in question.candidates
        ),
    )


def _spoofed(days: float) -> Forgery:
    """The forger held this number then, and called it with the caller's number as their own."""

    def forge(question: Question) -> Question:
        who = Suspect(lease_id=None, visitor_id="evil", visit_id="evil-1", probability=0.945)
        number = question.number.e164 if question.number else None
        before = Earlier(at=question.at - timedelta(days=days), number=number, suspects=(who,))
        return replace(_with(question, replace(_evil("evil"), form=False)), earlier=(before,))

    return forge
