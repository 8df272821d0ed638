"""Sets and removes tags of calls so that what a person decides beats every rule."""

from collections.abc import Collection, Sequence
from datetime import datetime

from router.domain.calls.call import Tag
from router.domain.calls.qualification import Decision, Subject
from router.service.ports import Session


async def tag_by_person(session: Session, tags: Sequence[Tag]) -> None:
    """Set tags, also those that a person refused before."""
    await session.tags.add(*tags)
    for tag in tags:
        await session.qualification.forget_decision(tag.call_id, Subject.TAG, tag.name)


async def tag_by_rule(session: Session, tags: Sequence[Tag]) -> None:
    """Set the tags that no person refused."""
    if not tags:
        return
    decided = await session.qualification.decisions({tag.call_id for tag in tags})
    refused = set()
    for decisions in decided.values():
        for one in decisions:
            if one.subject is Subject.TAG:
                refused.add((one.call_id, one.name))

    await session.tags.add(*(tag for tag in tags if (tag.call_id, tag.name) not in refused))


async def untag_by_person(
    session: Session, call_ids: Collection[str], name: str, *, author: str, now: datetime
) -> None:
    """Remove a tag, so that no rule sets it again."""
    for call_id in call_ids:
        await session.tags.remove(call_id, name)
    await session.qualification.decide(
        *(
            Decision(
                call_id=call_id,
                subject=Subject.TAG,
                name=name,
                wanted=False,
                author=author,
                at=now,
            )
            for call_id in call_ids
        )
    )
