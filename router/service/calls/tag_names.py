"""What is kept with the name of a tag follows when the tag is renamed or merged."""

from dataclasses import replace

from router.domain.calls.rules import Rule, RuleState, renamed, with_tag_renamed
from router.domain.calls.sampling import Sample
from router.domain.calls.saved_view import SavedView
from router.domain.calls.tagging import tag_name
from router.domain.calls.transcript import TranscriptionRule
from router.domain.calls.word_list import WordList
from router.errors import Conflict
from router.service.ports import Session


async def follow_rename(session: Session, name: str, new: str) -> None:
    """Views, rules, samples and word lists use the new name."""
    for rule in renamed(await session.find(Rule), name, new):
        await session.change(rule)
    await session.qualification.rename_refusals(name, new)
    for words in await session.find(WordList):
        if tag_name(words.tag) == name:
            await session.change(replace(words, tag=new))
    for view in await session.find(SavedView):
        query = with_tag_renamed(view.query, name, new)
        if query != view.query:
            await session.change(replace(view, query=query))
    for sample in await session.find(Sample):
        query = with_tag_renamed(sample.query, name, new)
        if query != sample.query:
            await session.change(replace(sample, query=query))
    for wanted in await session.find(TranscriptionRule):
        calls = with_tag_renamed(wanted.calls, name, new)
        if calls != wanted.calls:
            await session.change(replace(wanted, calls=calls))


async def check_unset(session: Session, name: str) -> None:
    """Raises `Conflict` if a rule or a word list would set a tag again."""
    for rule in await session.find(Rule):
        if rule.tag == name and rule.state is not RuleState.REMOVED:
            raise Conflict(f"The tag '{name}' is set by the rule “{rule.name}”: remove it first.")
    for words in await session.find(WordList):
        if tag_name(words.tag) == name:
            raise Conflict(f"The tag '{name}' is set by the word list '{words.id}'.")
