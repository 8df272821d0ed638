"""Tracked mail."""

from datetime import datetime

from router.domain.attribution.terms import Verdict
from router.web.api.models.base import Answer


class Mail(Answer):
    """A message that came to an address of a site: its headers, never its text."""

    id: str
    """The message's id here."""

    site_id: str
    """The site whose mailbox it came to."""

    message_id: str
    """Its Message-ID, or one made from its headers."""

    sender: str | None
    """Who wrote it."""

    address: str
    """The site's address that it was sent to."""

    tag: str | None
    """The tag in that address."""

    automatic: bool
    """An automatic reply, a bounce or a mailing: stored, but not sent."""

    arrived_at: datetime
    """When it arrived, as the mail server says (UTC)."""

    verdict: Verdict
    """How it was matched to a visitor."""

    visitor_id: str | None
    """The visitor whose address it was."""

    visit_id: str | None
    """The visit in which the address was shown."""

    channel: str | None
    """The channel of the address."""
