"""Sound between raw phones: both speak until both have heard enough, on a slow machine too."""

import asyncio
from dataclasses import dataclass

from tests.acceptance.raw_media import RawMedia
from tests.acceptance.raw_phone import RawDialog

LOUD = 20  # packets
PATIENCE = 180.0  # seconds
PIECE = 0.2  # of speech


@dataclass(kw_only=True)
class Talk:
    """A call that was answered: each side's dialog and RTP."""

    caller: RawDialog
    company: RawDialog
    caller_rtp: RawMedia
    company_rtp: RawMedia

    async def is_heard(self, packets: int = LOUD) -> None:
        """Both speak until so many audible packets have reached each."""
        before = len(self.caller_rtp.heard), len(self.company_rtp.heard)
        async with asyncio.timeout(PATIENCE):
            while (
                self.caller_rtp.audible(before[0]) < packets
                or self.company_rtp.audible(before[1]) < packets
            ):
                await asyncio.gather(
                    self.caller_rtp.talk(self.caller.media, PIECE),
                    self.company_rtp.talk(self.company.media, PIECE),
                )

    async def caller_hears_music(self, packets: int = 50) -> None:
        """The caller speaks, and the company does not; the caller hears something all the same."""
        before = len(self.caller_rtp.heard)
        async with asyncio.timeout(PATIENCE):
            while self.caller_rtp.audible(before) < packets:
                await self.caller_rtp.talk(self.caller.media, PIECE)
