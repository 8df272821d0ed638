"""The README's first command, as a newcomer runs it: twice in one home."""

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.acceptance.system import system


async def test_the_demo_plays_one_whole_call_again_and_again(tmp_path: Path) -> None:
    async with system(tmp_path) as ports:
        environment = {**os.environ, **ports.settings.environment()}
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "router", "demo", "--once", "--json"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(55):
            output, _ = await process.communicate()
        facts = json.loads(output)
        assert (process.returncode, facts["ok"], facts["wrong"]) == (0, True, [])
        assert (facts["verdict"], facts["client ID in the CRM"]) == ("exact", facts["client ID"])
