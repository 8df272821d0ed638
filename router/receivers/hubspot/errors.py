"""Errors of HubSpot's API."""

import re
from datetime import timedelta
from typing import Any

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import HubspotCode
from router.receivers.crm_tools import rows_of
from router.receivers.header_times import retry_after
from router.receivers.http import NO_RIGHT, Answer, error_for
from router.receivers.json_body import mapping, sequence
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

# the daily limit ends at midnight in the account's time zone
_DAY_IS_OVER = timedelta(hours=1)
_SHORT_LIMIT = timedelta(seconds=1)
_MIGRATING = 477
_NO_PROPERTY = re.compile(r"PROPERTY_DOESNT_EXIST|[Pp]roperty .*does not exist")


def refusal(answer: Answer) -> ReceiverUnavailable | Refused:
    """The error for an answer: retry soon, retry later, or never."""
    body = mapping(answer.body)
    said = str(body.get("message") or answer.text)
    if answer.status == 401:
        return ReceiverUnavailable(HubspotCode.HUBSPOT_KEY_REFUSED, pause=NO_RIGHT, detail=said)
    if answer.status == 403:
        return _forbidden(missing_scopes(body), said)
    if answer.status == 429:
        least = _SHORT_LIMIT
        if body.get("policyName") == "DAILY":
            least = _DAY_IS_OVER
        return ReceiverUnavailable(
            AnswerCode.TOO_MANY_REQUESTS,
            pause=max(retry_after(answer.headers), least),
            system="HubSpot",
            detail=said,
        )
    if answer.status == _MIGRATING:
        pause = retry_after(answer.headers)
        return ReceiverUnavailable(HubspotCode.HUBSPOT_MOVES, pause=pause, detail=said)
    error = error_for(answer)
    if isinstance(error, ReceiverUnavailable):
        return error
    advice = list[HubspotCode]()
    if _NO_PROPERTY.search(answer.text):
        advice.append(HubspotCode.HUBSPOT_CONNECT)
    detail = f"{body.get('category', '')} {said}"
    return Refused(AnswerCode.REFUSED, *advice, status=answer.status, detail=detail)


def _forbidden(scopes: list[str], said: str) -> ReceiverUnavailable:
    if not scopes:
        rejected = {"status": 403, "detail": said}
        return ReceiverUnavailable(AnswerCode.TOKEN_REJECTED, pause=NO_RIGHT, **rejected)
    scope = " or ".join(scopes)
    return ReceiverUnavailable(HubspotCode.HUBSPOT_SCOPE_MISSING, pause=NO_RIGHT, scope=scope)


def missing_scopes(body: Any) -> list[str]:
    """The scopes that a refusal names as missing; any one of them is enough."""
    named = list[Any]()
    for row in rows_of(body, "errors"):
        context = mapping(row.get("context"))
        scopes = context.get("requiredGranularScopes") or context.get("requiredScopes")
        named += sequence(scopes)
    return [scope for scope in named if isinstance(scope, str)]
