"""From the page to the call: a visitor who saw a number and dialled it is found, and never
taken for another one.

The clock is the real one: what ends quickly here ends by pools whose freeze is short.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from router import bootstrap
from router.domain.attribution.terms import Evidence, Verdict
from router.domain.calls.call import Call
from router.domain.phone import parse_number
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import NumberKind, Pool, Site, TrackingNumber
from tests.acceptance import sip
from tests.acceptance.calling import company_line, dial, somebody, the_call
from tests.acceptance.script_visitor import Visitor, chromium, visiting
from tests.acceptance.script_world import OWN, Company, open_for_business
from tests.acceptance.system import PARTS, System, line, system

pytestmark = pytest.mark.asyncio(loop_scope="module")

USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Safari/537.36"
)
PAGE = "<a href='tel:+74951234567'>8 (495) 123-45-67</a>"
LONG, SHORT = 1500, 1  # seconds of freeze
POOLS = {"ads": (LONG, 3), "waits": (1798, 1), "over": (SHORT, 2), "retaken": (SHORT, 1), "known": (SHORT, 1),  # noqa: E501
         "saved": (SHORT, 1)}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """The whole system, with a pool for every test of the file."""
    async with system(tmp_path_factory.mktemp("home")) as up:
        now, line_up = bootstrap.now(), iter(range(100))
        for name, (freeze, count) in POOLS.items():
            own = (OWN,) if name == "ads" else ()
            times = {"hold_seconds": 1800, "freeze_seconds": freeze, "created_at": now}
            await up.put(Pool(id=name, site_id="shop", name=name, replaces=own, **times))
            numbers = [f"+74957770{next(line_up):03}" for _ in range(count)]
            kind: dict[str, Any] = {"site_id": "shop", "kind": NumberKind.DYNAMIC, "pool_id": name}
            await up.put(
                *(
                    TrackingNumber(e164=e164, free_at=now, created_at=now, **kind)
                    for e164 in numbers
                )
            )
        line(up)
        await up.start(*PARTS, "web")
        await up.until(lambda: answers(up), "the web server did not start")
        yield up


async def answers(running: System) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(f"{running.settings.url}/healthz")).is_success
        except httpx.HTTPError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A visitor whose page asked for a number."""

    running: System
    visit_id: str
    visitor_id: str
    lease_id: str
    number: str

    async def tells(self, what: str, **body: Any) -> None:
        """What the page's script says of them."""
        await ask(self.running, f"visits/{self.visit_id}/{what}", body)

    async def leaves(self) -> None:
        """The page is closed."""
        await self.tells("left", leases=[self.lease_id])

    async def is_long_gone(self) -> None:
        """The page is closed, and the lease over too."""
        await self.leaves()
        await self.running.until(lambda: self._past("ends_at"), "the lease did not end")

    async def has_left(self) -> None:
        """The page is closed, and no next one was opened."""
        await self.leaves()
        await self.running.until(lambda: self._past("frozen_at"), "the freeze did not begin")

    async def _past(self, moment: str) -> bool:
        async with self.running.store.read() as session:
            return bool(getattr(await session.get(Lease, self.lease_id), moment) <= bootstrap.now())


async def ask(running: System, what: str, body: dict[str, Any]) -> Any:
    """One request of the script."""
    async with httpx.AsyncClient(trust_env=False, headers={"User-Agent": USER_AGENT}) as client:
        answer = await client.post(f"{running.settings.url}/api/v1/{what}", json=body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def arrives(running: System, pool: str, source: str) -> Guest:
    """A new visitor opens the page and is shown a number of the pool."""
    url = f"https://shop.example/?utm_source={source}&utm_medium=cpc"
    given = await ask(
        running, "sites/shop/visits", {"url": url, "referrer": "", "pools": [pool], "consent": True}
    )
    shown = given["numbers"][pool]
    assert shown["level"] == "dynamic"
    keys = {key: given[key] for key in ("visit_id", "visitor_id")}
    return Guest(running=running, lease_id=shown["lease_id"], number=shown["number"], **keys)


async def rings(running: System, work: Path, *callers: sip.Caller) -> list[Call]:
    """Calls one after another, each to its end; what the ledger knows of them."""
    async with company_line(running, work, sip.answers(0.1)):
        for index, who in enumerate(callers):
            await dial(running, work / f"call{index}", who)
    return [await the_call(running, who) for who in callers]


async def test_two_visitors_of_one_pool_are_distinguished_by_the_numbers_they_saw(
    running: System, tmp_path: Path
) -> None:
    script = f'<script async src="{running.settings.url}/site/shop.js"></script>'
    async with (
        open_for_business(Company()) as company,
        chromium() as browser,
        visiting(company, browser, user_agent=USER_AGENT) as first,
        visiting(company, browser, user_agent=USER_AGENT) as second,
    ):
        site = await let_in(running, company)
        seen = [await opens(first, "google", script), await opens(second, "yandex", script)]
        assert len({number for number, _ in seen} | {OWN}) == 3
        callers = [somebody(number, talk=1.0) for number, _ in seen]
        calls = await rings(running, tmp_path, *callers[::-1])
    for call, (number, visit_id), source in zip(
        calls[::-1], seen, ("google", "yandex"), strict=True
    ):
        assert (call.number, call.visit_id, call.verdict) == (number, visit_id, Verdict.EXACT)
        assert (call.source, call.channel) == (source, "Paid Search")
        assert (call.probability or 0) >= site.certainty


async def let_in(running: System, company: Company) -> Site:
    """The site, whose pages are this company's; the web server knows it by now."""
    async with running.store.read() as session:
        site = replace(await session.get(Site, "shop"), origins=(company.address,))
    await running.put(site)

    async def known() -> bool:
        async with httpx.AsyncClient(
            trust_env=False, headers={"Origin": company.address}
        ) as client:
            return (
                await client.options(f"{running.settings.url}/api/v1/sites/shop/visits")
            ).is_success

    await running.until(known, "the web server did not take up the site's origin")
    return site


async def opens(visitor: Visitor, source: str, script: str) -> tuple[str, str]:
    """The number on the page that an advertisement leads to, and the visit."""
    await visitor.opens(PAGE, query=f"?utm_source={source}&utm_medium=cpc", line=script)
    await visitor.until(
        "document.body.textContent !== '8 (495) 123-45-67' && ringtrace.visit !== ''"
    )
    return parse_number(await visitor.text(), "RU"), await visitor.page.evaluate("ringtrace.visit")


async def test_a_number_dialled_during_the_freeze_is_the_last_visitors(
    running: System, tmp_path: Path
) -> None:
    guest = await arrives(running, "waits", "google")
    await guest.has_left()
    (call,) = await rings(running, tmp_path, somebody(guest.number, talk=0.5))
    assert (call.verdict, call.visit_id, call.source) == (Verdict.FROZEN, guest.visit_id, "google")
    assert call.candidates[0].evidence[0] is Evidence.FROZEN


async def test_a_number_dialled_while_it_is_free_is_its_last_holders_or_unattributed(
    running: System, tmp_path: Path
) -> None:
    gone, other = await arrives(running, "over", "google"), await arrives(running, "over", "yandex")
    await gone.is_long_gone()
    (call,) = await rings(running, tmp_path, somebody(gone.number, talk=0.5))
    assert (
        call.visit_id
        == {Verdict.STALE: gone.visit_id, Verdict.UNKNOWN: None}[Verdict(call.verdict or "")]
    )
    assert {candidate.visit_id for candidate in call.candidates} == {gone.visit_id}
    assert Evidence.ENDED in call.candidates[0].evidence
    assert other.number != gone.number


async def test_a_call_is_not_forced_onto_the_visitor_who_has_the_number_by_now(
    running: System, tmp_path: Path
) -> None:
    gone = await arrives(running, "retaken", "google")
    await gone.is_long_gone()
    holder = await arrives(running, "retaken", "yandex")
    assert holder.number == gone.number
    (call,) = await rings(running, tmp_path, somebody(gone.number, talk=0.5))
    likely = {candidate.visit_id: candidate for candidate in call.candidates}
    assert call.verdict is Verdict.CONTESTED
    assert set(likely) == {gone.visit_id, holder.visit_id}
    assert Evidence.RETAKEN in likely[gone.visit_id].evidence
    assert Evidence.ON_PAGE in likely[holder.visit_id].evidence
    assert likely[gone.visit_id].probability > 0.1
    assert sum(candidate.probability for candidate in call.candidates) <= 1


async def test_who_left_their_phone_is_found_though_another_visitor_has_the_number(
    running: System, tmp_path: Path
) -> None:
    gone = await arrives(running, "known", "google")
    caller = somebody(gone.number, talk=0.5)
    await gone.tells("form", phone=caller.number)
    await gone.is_long_gone()
    holder = await arrives(running, "known", "yandex")
    assert holder.number == gone.number
    (call,) = await rings(running, tmp_path, caller)
    assert (call.visit_id, call.source) == (gone.visit_id, "google")
    assert Evidence.FORM in call.candidates[0].evidence


async def test_a_customer_who_saved_the_number_is_known_again_and_leaves_it_to_its_visitors(
    running: System, tmp_path: Path
) -> None:
    first = await arrives(running, "saved", "google")
    customer = somebody(first.number, talk=0.5)
    (earlier,) = await rings(running, tmp_path / "first", customer)
    await first.is_long_gone()
    holder = await arrives(running, "saved", "yandex")
    assert holder.number == first.number
    stranger = somebody(holder.number, talk=0.5)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        await dial(running, tmp_path / "again", customer)
        await dial(running, tmp_path / "stranger", stranger)
    again, new = await running.until(
        lambda: calls_but(running, earlier, customer, stranger), "the calls did not end"
    )
    assert (earlier.verdict, earlier.visit_id) == (Verdict.EXACT, first.visit_id)
    assert (again.verdict, again.visit_id, again.source) == (
        Verdict.REPEAT,
        first.visit_id,
        "google",
    )
    assert (new.verdict, new.visit_id, new.source) == (Verdict.EXACT, holder.visit_id, "yandex")


async def calls_but(running: System, earlier: Call, *callers: sip.Caller) -> list[Call] | None:
    """The ended calls of these, without an earlier one."""
    numbers = [who.number for who in callers]
    ended = [call for call in await running.calls() if call.ended_at and call.caller in numbers]
    later = [call for call in ended if call.id != earlier.id]
    return later if len(later) == len(callers) else None
