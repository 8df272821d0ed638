"""Sets the tags of words that are said in a call."""

from collections.abc import Sequence
from datetime import datetime

from router.domain.calls.transcript import Segment
from router.domain.calls.word_list import WordList, tags_of_words
from router.service.calls.tag_decisions import tag_by_rule
from router.service.ports import Session


async def lists_for(session: Session, site_id: str | None) -> list[WordList]:
    """The lists of a site, and those of every site."""
    lists = await session.find(WordList)
    return [found for found in lists if found.site_id in {None, site_id}]


async def tag_words(
    session: Session,
    call_id: str,
    site_id: str | None,
    segments: Sequence[Segment],
    now: datetime,
) -> None:
    """Tag a call by what is said in it; the tags that it has stay."""
    lists = await lists_for(session, site_id)
    await tag_by_rule(session, tags_of_words(lists, segments, call_id, now))
