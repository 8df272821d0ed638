"""A raw phone at ::1."""

from typing import Self

from tests.acceptance.raw_media import RawMedia
from tests.acceptance.raw_phone import RawDialog, RawPhone


class V6Phone(RawPhone):
    """Its packets travel over IPv6, and its SIP says so."""

    def __init__(self, peer_port: int) -> None:
        super().__init__("::1", peer_port)
        self.contact = f"<sip:raw@[::1]:{self.port}>"
        self.peer = ("::1", peer_port)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.host = "[::1]"
        return self

    async def new_media(self) -> RawMedia:
        media = await RawMedia("::1").open()
        self._media.append(media)
        return media

    def new_dialog(
        self, to: str, number: str = "+79161230000", *, uri: str | None = None
    ) -> RawDialog:
        """A call that was not sent yet."""
        dialog = super().new_dialog(to, number, uri=uri or f"sip:{to}@[::1]:{self.peer[1]}")
        dialog.remote = f"<sip:{to}@[::1]>"
        return dialog
