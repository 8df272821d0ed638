"""A renewal of an OAuth token that is interrupted: the process is killed, the answer is lost or the
request is stopped.
"""

import asyncio
import os
import signal
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from router.service.clock import utc_now
from router.service.delivery.outcomes import ReceiverUnavailable
from tests.contracts.oauth import AMOCRM
from tests.integration.test_oauth import Account, account


async def killed_in_renewal(crm: Account) -> None:
    """A process is killed after the server has issued the new token, before it hears of it."""
    await crm.allow(utc_now() - timedelta(hours=2))
    process = await crm.process()
    crm.server.before_answer = lambda: os.kill(process.pid, signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL
    crm.server.before_answer = lambda: None
    crm.clock.now = utc_now()


async def test_a_kill_in_the_middle_of_a_renewal_is_named_where_the_crm_forgives_nothing(
    tmp_path: Path,
) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        await killed_in_renewal(crm)
        for _ in range(2):
            with pytest.raises(ReceiverUnavailable, match="was stopped while it was renewed"):
                await crm.ask(crm.client())


async def test_a_kill_in_the_middle_of_a_renewal_loses_nothing_where_the_crm_forgives(
    tmp_path: Path,
) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        crm.server.forgiving = True
        await killed_in_renewal(crm)
        assert (await crm.ask(crm.client()))["given"] == 1
        assert "renewal_began" not in crm.stored()


def _broken() -> None:
    raise RuntimeError("the answer with the new token is lost")


@pytest.mark.parametrize("forgiving", [True, False])
async def test_an_answer_with_a_new_token_that_is_lost_costs_nothing_where_the_crm_forgives(
    tmp_path: Path, forgiving: bool
) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        await crm.allow()
        crm.clock.move(3600 * 24 * 2)
        crm.server.forgiving, crm.server.before_answer = forgiving, _broken
        with pytest.raises(ReceiverUnavailable):
            await crm.ask(crm.client())
        crm.server.before_answer = lambda: None
        if forgiving:
            assert (await crm.ask(crm.client()))["given"] == 1
            assert crm.stored()["refresh_token"] == crm.server.refresh
            assert "renewal_began" not in crm.stored()
            return
        for _ in range(2):
            with pytest.raises(ReceiverUnavailable, match="was stopped while it was renewed"):
                await crm.ask(crm.client())


async def test_a_renewal_that_has_begun_is_stored_although_its_request_was_stopped(
    tmp_path: Path,
) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        await crm.allow()
        crm.clock.move(3600)
        issued = asyncio.Event()
        crm.server.slow, crm.server.before_answer = 0.2, issued.set
        client = crm.client()
        request = asyncio.create_task(crm.ask(client))
        await issued.wait()
        request.cancel()
        with suppress(asyncio.CancelledError):
            await request
        await client.close()
        assert crm.stored()["refresh_token"] == crm.server.refresh
