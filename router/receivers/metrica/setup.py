"""Checks a Metrica counter before the first call: the token's rights and the goals."""

from collections.abc import Mapping
from typing import Any

from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome
from router.receivers.json_body import objects
from router.receivers.metrica.api import LISTS, Api, part, said
from router.service.delivery.ports import Check


class Setup:
    """Checks the counter and creates missing goals; `needed` says what each goal is for."""

    def __init__(self, api: Api, needed: Mapping[str, str]) -> None:
        self._api, self._needed = api, needed

    async def check(self) -> list[Check]:
        """Check the token's rights for the counter and its uploads, and the goals."""
        checks = [await self._right(CheckCode.COUNTER, "")]
        for uploads in LISTS.values():
            path = f"/offline_conversions/{uploads}?limit=1"
            checks.append(await self._right(CheckCode.UPLOADS, path, uploads=uploads))
        if all(check.well for check in checks):
            there, create = await self._goals(), Outcome.of(FixCode.METRICA_GOAL)
            for goal, event in self._needed.items():
                known = goal in there
                checks.append(Check.of(CheckCode.GOAL, known, create, goal=goal, event=event))
        return checks

    async def _right(self, code: CheckCode, path: str, **about: Any) -> Check:
        answer = await self._api.attempt("GET", path)
        if answer.status == 200:
            return Check.of(code, True, **about)
        fix = Outcome.of(FixCode.METRICA_RIGHT, detail=said(answer))
        return Check.of(code, False, fix, **about)

    async def prepare(self) -> list[str]:
        """Create missing goals."""
        there, made = await self._goals(), []
        for goal, what in self._needed.items():
            if goal not in there:
                condition = {"type": "exact", "url": goal}
                body = {"name": f"Phone: {what}", "type": "action", "conditions": [condition]}
                await self._api.ask("POST", "goals", json={"goal": body})
                made.append(f"goal: {goal}")
        return made

    async def _goals(self) -> set[str]:
        goals = part(await self._api.ask("GET", "goals"), "goals", list)
        names = set[str]()
        for goal in objects(goals):
            if goal.get("type") != "action":
                continue
            for condition in objects(goal.get("conditions")):
                if isinstance(condition.get("url"), str):
                    names.add(condition["url"])
        return names
