"""What came of a transfer, in the words of a note."""

from collections.abc import Mapping
from typing import Any

from router.domain.calls.call import TransferOutcome
from router.domain.language import Language

_OUTCOMES = {
    Language.ENGLISH: {
        TransferOutcome.ANSWERED: "answered by {by}",
        TransferOutcome.RETURNED: "came back to {by}",
        TransferOutcome.NO_ANSWER: "no answer",
        TransferOutcome.BUSY: "busy",
        TransferOutcome.DECLINED: "declined",
        TransferOutcome.FAILED: "could not be connected",
        TransferOutcome.ABANDONED_RINGING: "the caller hung up while it rang",
        TransferOutcome.ABANDONED: "the caller hung up while waiting",
    },
    Language.RUSSIAN: {
        TransferOutcome.ANSWERED: "ответил {by}",
        TransferOutcome.RETURNED: "вернулся к {by}",
        TransferOutcome.NO_ANSWER: "не ответили",
        TransferOutcome.BUSY: "занято",
        TransferOutcome.DECLINED: "отклонён",
        TransferOutcome.FAILED: "не удалось соединить",
        TransferOutcome.ABANDONED_RINGING: "звонящий положил трубку, пока шли гудки",
        TransferOutcome.ABANDONED: "звонящий не дождался и положил трубку",
    },
}
_TO = {Language.ENGLISH: "Transferred to", Language.RUSSIAN: "Перевод на"}
_SECONDS = {Language.ENGLISH: "s", Language.RUSSIAN: "с"}


def transfer_in_words(transfer: Mapping[str, Any], language: Language) -> str:
    """One line; older payloads have no outcome."""
    outcome, to = transfer.get("outcome"), f"{_TO[language]} {transfer['to']}"
    if outcome is None:
        return to
    by = transfer.get("answered_by") or "?"
    what = _OUTCOMES[language][TransferOutcome(outcome)].format(by=by)
    return f"{to}: {what}, {transfer.get('wait_seconds', 0):.0f} {_SECONDS[language]}"
