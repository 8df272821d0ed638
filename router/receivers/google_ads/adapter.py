"""Sends to Google Ads by the Data Manager API: calls and sales are offline conversions of the click
that brought the visitor.

Google refuses a whole request because of one bad event, so the bad events that it names are removed
and the rest is sent again; `transactionId` prevents double counting. Google processes accepted
events for half an hour to a day, and then reports the result.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from router.domain.delivery.analytics_codes import GoogleAdsCode, VisitorCode
from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.codes import AnswerCode, SendingCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Result, Use
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome, joined
from router.domain.text import one_line
from router.receivers.google_ads.status import by_action
from router.receivers.http import Answer, HttpClient, error_for
from router.receivers.json_body import filled, member, sequence
from router.receivers.target_calls import target_rule
from router.receivers.trial_event import trial
from router.service.clock import Clock, utc_now
from router.service.delivery.analytics import AnalyticsEvent
from router.service.delivery.outcomes import NotYet, ReceiverUnavailable, SendResult
from router.service.delivery.ports import Check

CLICKS = ("gclid", "gbraid", "wbraid")  # an event is sent with one of them, the most reliable
_EVENT = re.compile(r"events\[(\d{1,4})\]")
_REFUSALS = frozenset({400, 401})
_NO_STATUS = frozenset({400, 404})
_FIRST_LOOK, _LOOK = timedelta(minutes=30), timedelta(hours=1)
_MOST_LOOKS = 26
_COUNTED = (Use.USED, Use.COUNTED_BEFORE)


class GoogleAds:
    """The `Analytics` over one Google Ads account; options: see `receiver.py`."""

    def __init__(
        self,
        connection: Connection,
        _token: Mapping[str, str],
        http: HttpClient,
        clock: Clock = utc_now,
    ) -> None:
        self._options = filled(connection.options)
        self._target = target_rule(self._options)
        self._http, self._clock = http, clock

    async def send(self, events: Sequence[AnalyticsEvent]) -> SendResult:
        """Send the events in one request, again each time that Google names bad events."""
        by_rule = Outcome.of(VisitorCode.LEFT_OUT_BY_RULE)
        left_out = Result(use=Use.USED, outcome=by_rule)
        left, results = list[AnalyticsEvent](), dict[str, Result]()
        for event in events:
            if self._counts(event):
                left.append(event)
            else:
                results[event.key] = left_out
        said = Outcome.of(SendingCode.NOTHING_TO_SEND)

        while left:
            answer = await self._ingest(left)
            if answer.status != 400:
                request = _request_of(answer)
                said = Outcome.of(GoogleAdsCode.GOOGLE_REQUEST, request=request, count=len(left))
                break
            bad, kept = _bad(answer.body), list[AnalyticsEvent]()
            for place, event in enumerate(left):
                if place in bad:
                    results[event.key] = Result(use=Use.NEVER, outcome=bad[place])
                else:
                    kept.append(event)
            if len(kept) == len(left):
                raise error_for(replace(answer, text=_words(answer)))
            left = kept

        records = {event.key: place for place, event in enumerate(left)}
        look_in = None
        if left:
            look_in = _FIRST_LOOK
        return SendResult(said=said, results=results, records=records, look_in=look_in)

    async def outcome(
        self, events: Sequence[AnalyticsEvent], receipt: Outcome, *, looks: int
    ) -> SendResult:
        """The result of a request. Raises `NotYet` while Google is processing it."""
        asked = {"requestId": str(receipt.params.get("request", ""))}
        answer = await self._authorised(
            "GET", "v1/requestStatus:retrieve", _NO_STATUS, params=asked
        )
        statuses = by_action(answer.body)
        if not statuses or any(status.works for status in statuses.values()):
            if looks < _MOST_LOOKS:
                raise NotYet(GoogleAdsCode.GOOGLE_WORKS, _LOOK)
            silent = Outcome.of(GoogleAdsCode.GOOGLE_SILENT)
            return SendResult(said=joined([receipt, silent]))

        first = next(iter(statuses.values()))
        results: dict[str, Result] = {}
        for event in filter(self._counts, events):
            made = statuses.get(self._action(event), first).result(event.record)
            if made.use in _COUNTED:
                made = replace(made, outcome=joined([receipt, made.outcome]))
            results[event.key] = made
        return SendResult(said=receipt, results=results)

    async def check(self) -> list[Check]:
        """Check the refresh token and a conversion of each kind."""
        try:
            if self._http.login is not None:
                await self._http.login.sign({})
        except ReceiverUnavailable as error:
            return [Check.of(CheckCode.REFRESH_TOKEN, False, error.outcome)]
        checks = [Check.of(CheckCode.REFRESH_TOKEN, True)]
        kinds = {CheckCode.CALL_CONVERSIONS: False, CheckCode.SALE_CONVERSIONS: True}
        for code, sale in kinds.items():
            event = trial(self._clock(), {"gclid": "ringtrace-check"}, sale=sale)
            if self._action(event):
                checks.append(await self._check(code, event))
        if len(checks) == 1:
            fix = Outcome.of(FixCode.GOOGLE_ACTION)
            checks.append(Check.of(CheckCode.CONVERSION_ACTION, False, fix))
        return checks

    async def _check(self, code: CheckCode, event: AnalyticsEvent) -> Check:
        try:
            answer = await self._ingest([event], validate_only=True)
        except ReceiverUnavailable as error:
            return Check.of(code, False, error.outcome)
        well = answer.status != 400 or bool(_bad(answer.body))  # a made-up click may be refused
        if well:
            return Check.of(code, True)
        return Check.of(code, False, Outcome.text(_words(answer)))

    async def prepare(self) -> list[str]:
        """Nothing to prepare: conversion actions are created in Google Ads."""
        return []

    def _action(self, event: AnalyticsEvent) -> str:
        if event.sale:
            return self._options.get("sale_action", "")
        return self._options.get("conversion_action", "")

    def _counts(self, event: AnalyticsEvent) -> bool:
        if not self._action(event) or _click(event.call) is None:
            return False
        return bool(event.sale) or not self._target.is_set or self._target.counts(event.call)

    async def _ingest(
        self, events: Sequence[AnalyticsEvent], *, validate_only: bool = False
    ) -> Answer:
        actions = dict.fromkeys(map(self._action, events))
        body: dict[str, Any] = {
            "destinations": list(map(self._destination, actions)),
            "events": [self._event(event) for event in events],
            "validateOnly": validate_only,
        }
        if "consent" in self._options:
            consent = f"CONSENT_{self._options['consent']}"
            body["consent"] = {"adUserData": consent, "adPersonalization": consent}
        return await self._authorised("POST", "v1/events:ingest", _REFUSALS, json=body)

    async def _authorised(
        self, method: str, path: str, accept: frozenset[int], **request: Any
    ) -> Answer:
        headers = {}
        if "quota_project" in self._options:
            headers["x-goog-user-project"] = self._options["quota_project"]
        answer = await self._http.ask(
            method, path, headers=headers, accept=accept | {401}, **request
        )
        if answer.status == 401:
            raise error_for(replace(answer, text=_words(answer)))
        return answer

    def _destination(self, action: str) -> dict[str, Any]:
        account = self._options.get("account", "")
        return {
            "reference": action,
            "operatingAccount": _account(account),
            "loginAccount": _account(self._options.get("login_account", account)),
            "productDestinationId": action,
        }

    def _event(self, event: AnalyticsEvent) -> dict[str, Any]:
        name, clicks = _click(event.call), dict[str, str]()
        if name:
            clicks[name] = event.call.facts[name]
        body: dict[str, Any] = {
            "destinationReferences": [self._action(event)],
            "transactionId": event.call.id,
            "eventTimestamp": f"{event.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": self._options.get("event_source", "PHONE"),
            "adIdentifiers": clicks,
        }
        if event.sale:
            body["transactionId"] = event.key.partition(":")[2]
            body |= {"conversionValue": event.sale["value"], "currency": event.sale["currency"]}
        return body


def _click(call: CallEvent) -> str | None:
    return next((name for name in CLICKS if name in call.facts), None)


def _account(number: str) -> dict[str, str]:
    return {"accountType": "GOOGLE_ADS", "accountId": number.replace("-", "")}


def _request_of(answer: Answer) -> str:
    """The ID by which the result is requested.

    Raises `ReceiverUnavailable`: the conversions are sent again, and Google counts each of them
    once.
    """
    request = member(answer.body, "requestId")
    if not isinstance(request, str) or not request:
        raise ReceiverUnavailable(
            AnswerCode.INCOMPLETE_ANSWER, system="Google Ads", missing="requestId"
        )
    return request


def _bad(body: Any) -> dict[int, Outcome]:
    """The refused events, by their place in the request, and the reasons."""
    details = member(member(body, "error"), "details")
    found: dict[int, Outcome] = {}
    for detail in sequence(details):
        for violation in sequence(member(detail, "fieldViolations")):
            place = _EVENT.search(str(member(violation, "field")))
            if place:
                found[int(place[1])] = Outcome.of(
                    VisitorCode.EVENT_REFUSED,
                    field=str(member(violation, "field")),
                    detail=str(member(violation, "description")),
                )
    return found


def _words(answer: Answer) -> str:
    """The text of an error without its JSON: the API's `error.message`, the token endpoint's
    `error_description`.
    """
    error = member(answer.body, "error")
    said = (member(error, "message"), error, member(answer.body, "error_description"))
    return one_line(": ".join(text for text in said if isinstance(text, str)) or answer.text)
