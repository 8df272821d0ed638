"""The list of mails in the API."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from router.domain.access import Scope
from router.domain.attribution.terms import Verdict
from router.domain.mail import Mail
from tests.integration.mail_world import MAIL
from tests.support.web_world import a_world


async def test_a_program_lists_mail_with_a_token_page_by_page(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        at = world.clock()
        facts: dict[str, Any] = {
            "site_id": "shop",
            "sender": None,
            "address": MAIL,
            "tag": None,
            "automatic": False,
        }
        async with world.store.write() as session:
            for n in range(3):
                moment = at + timedelta(seconds=n)
                mail = Mail(
                    id=f"m{n}",
                    message_id=f"<{n}>",
                    arrived_at=moment,
                    verdict=Verdict.UNKNOWN,
                    **facts,
                )
                await session.add(mail)
        assert (await world.browser().get("/api/v1/mails")).status_code == 401
        program = world.program(Scope.CALLS_READ)
        page = (await program.get("/api/v1/mails", params={"site_id": "shop", "limit": 2})).json()
        assert [mail["id"] for mail in page] == ["m2", "m1"]
        assert page[0]["verdict"] == "unknown"
        rest = await program.get("/api/v1/mails", params={"before": page[-1]["arrived_at"]})
        assert [mail["id"] for mail in rest.json()] == ["m0"]
        assert (await program.get("/api/v1/mails", params={"site_id": "garage"})).json() == []
        assert (
            await program.get("/api/v1/mails", params={"before": "yesterday"})
        ).status_code == 422
