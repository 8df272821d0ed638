"""What a Metrica counter needs before the first call: a token with rights, and goals."""

from collections.abc import Mapping

from router.receivers.metrica.api import LISTS, Api, part, said
from router.service.delivery.ports import Check


class Setup:
    """Looks at the counter, and creates missing goals; `needed` says what each goal is for."""

    def __init__(self, api: Api, needed: Mapping[str, str]) -> None:
        self._api, self._needed = api, needed

    async def check(self) -> list[Check]:
        """Check the token's rights for the counter and its uploads, and the goals."""
        checks = []
        for what, path in {
            "the counter": "",
            **{f"its list of {kind}": kind for kind in LISTS.values()},
        }.items():
            fix = (
                "give the token's user the right to edit the counter, and the token the right "
                "metrika:write"
            )
            path = f"/offline_conversions/{path}?limit=1" if path else ""
            answer = await self._api.attempt("GET", path)
            reason = "" if answer.status == 200 else f"; Metrica says: {said(answer)}"
            checks.append(Check(what=what, well=answer.status == 200, fix=fix + reason))
        if all(one.well for one in checks):
            there = await self._goals()
            checks += [
                Check(
                    what=f"the goal '{goal}' of {what}",
                    well=goal in there,
                    fix="it can be created for you",
                )
                for goal, what in self._needed.items()
            ]
        return checks

    async def prepare(self) -> list[str]:
        """Create missing goals."""
        there, made = await self._goals(), []
        for goal, what in self._needed.items():
            if goal not in there:
                condition = {"type": "exact", "url": goal}
                body = {"name": f"Phone: {what}", "type": "action", "conditions": [condition]}
                await self._api.ask("POST", "goals", json={"goal": body})
                made.append(f"the goal '{goal}' of {what}")
        return made

    async def _goals(self) -> set[str]:
        goals = part(await self._api.ask("GET", "goals"), "goals", list)
        conditions = [
            one.get("conditions")
            for one in goals
            if isinstance(one, dict) and one.get("type") == "action"
        ]
        named = [
            one
            for some in conditions
            if isinstance(some, list)
            for one in some
            if isinstance(one, dict)
        ]
        return {one["url"] for one in named if isinstance(one.get("url"), str)}
