"""Sends to Google Analytics 4 by its Measurement Protocol: a call, a first call, a target call and
a sale are events.

Google always answers 204, so a receipt does not mean that the event was accepted: `validate` sends
events to the debugging endpoint, which reports problems and records nothing. Nothing that is sent
identifies the caller.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from router.domain.delivery.analytics_codes import Ga4Code, VisitorCode
from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome, joined
from router.domain.text import one_line
from router.receivers.http import HttpClient
from router.receivers.json_body import member
from router.receivers.target_calls import target_rule
from router.receivers.trial_event import trial
from router.service.clock import Clock, utc_now
from router.service.delivery.analytics import AnalyticsEvent
from router.service.delivery.outcomes import ReceiverUnavailable, SendResult
from router.service.delivery.ports import Check

OLDEST = timedelta(hours=72)  # events with an earlier timestamp are dropped silently
SESSION_TAKES = timedelta(hours=24)  # after a session's start; later events belong to the user only
_MARGIN = timedelta(minutes=1)  # allowed difference between our clock and Google's
_NAME, _VALUE = 40, 100  # letters
_MEASUREMENT_ID = re.compile(r"G-[A-Z0-9]{4,16}")


class Ga4:
    """The `Analytics` over one web stream; options: `measurement_id`, `target_seconds`,
    `target_calls`, `consent`.
    """

    def __init__(
        self,
        connection: Connection,
        token: Mapping[str, str],
        http: HttpClient,
        clock: Clock = utc_now,
    ) -> None:
        self._http, self._clock = http, clock
        self._target = target_rule(connection.options)
        self._consent = connection.options.get("consent", "")
        self._measurement_id = connection.options.get("measurement_id", "")
        self._stream = {"measurement_id": self._measurement_id, "api_secret": token["api_secret"]}

    async def send(self, events: Sequence[AnalyticsEvent]) -> SendResult:
        """Send each event in a request of its own: one request is for one browser."""
        return SendResult(said=joined([await self._send(event) for event in events]))

    async def _send(self, event: AnalyticsEvent) -> Outcome:
        if event.call.client_id is None:
            return Outcome.of(VisitorCode.VISITOR_FORGOTTEN)
        body, remarks = self._body(event)
        answer = await self._http.ask("POST", "mp/collect", params=self._stream, json=body)
        if answer.text.strip():  # Google's answers are empty; this one is of another server
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Google Analytics")
        names = [item["name"] for item in body["events"]]
        return Outcome.of(Ga4Code.GA4_SENT, *remarks, status=answer.status, events=names)

    async def validate(self, events: Sequence[AnalyticsEvent]) -> list[str]:
        """Problems that Google reports; it does not check the secret."""
        found = []
        for event in events:
            body = {**self._body(event)[0], "validation_behavior": "ENFORCE_RECOMMENDATIONS"}
            answer = await self._http.ask(
                "POST", "debug/mp/collect", params=self._stream, json=body
            )
            said = member(answer.body, "validationMessages")
            if not isinstance(said, list):
                raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Google Analytics")
            found += [_in_words(message) for message in said]
        return found

    async def check(self) -> list[Check]:
        """Check the measurement ID, and that a call and a sale are well-formed."""
        now = self._clock()
        facts = {"client_id": "1000000000.1000000000", "session_id": str(int(now.timestamp()))}
        wrong = await self.validate([trial(now, facts, sale=sale) for sale in (False, True)])
        name = self._measurement_id
        whole, fix = _MEASUREMENT_ID.fullmatch(name) is not None, Outcome.of(FixCode.GA4_ID)
        return [
            Check.of(CheckCode.MEASUREMENT_ID, whole, fix, found=name),
            Check.of(CheckCode.GA4_EVENTS, not wrong, Outcome.text("; ".join(wrong))),
        ]

    async def prepare(self) -> list[str]:
        """Nothing to prepare: GA4 creates events when the first arrives."""
        return []

    def _body(self, event: AnalyticsEvent) -> tuple[dict[str, Any], list[Outcome]]:
        """A request, and a remark for the receipt."""
        at, session, remarks = self._placed(event)
        body: dict[str, Any] = {
            "client_id": event.call.client_id,
            "timestamp_micros": int(at.timestamp() * 1_000_000),
            "events": [_event(name, params) for name, params in self._events(event, session)],
        }
        if self._consent:
            body["consent"] = {"ad_user_data": self._consent, "ad_personalization": self._consent}
        return body, remarks

    def _placed(self, event: AnalyticsEvent) -> tuple[datetime, str | None, list[Outcome]]:
        """The time and session of the event, and a remark if it has no session."""
        call, now = event.call, self._clock()
        session = call.facts.get("session_id")
        began = _began(session, call)
        at, why = event.at, list[Outcome]()
        if session is None or began is None:
            why = [Outcome.of(Ga4Code.GA4_SESSION_UNKNOWN)]
        elif began > call.ended_at:
            why = [Outcome.of(Ga4Code.GA4_SESSION_LATER)]
        elif now - began >= SESSION_TAKES - _MARGIN:
            why = [Outcome.of(Ga4Code.GA4_SESSION_OVER, began=began)]
        # an event belongs to the session from its start until its last heartbeat
        else:
            at = max(began, min(at, call.seen_at or at))
        at = min(max(at, now - OLDEST + _MARGIN), now)
        if why:
            session = None
        return at, session, why

    def _events(
        self, event: AnalyticsEvent, session: str | None
    ) -> list[tuple[str, dict[str, Any]]]:
        call = event.call
        params: dict[str, Any] = {"engagement_time_msec": 100, "call_uid": call.id}
        if session:
            params["session_id"] = session
        if event.sale:
            value, currency = event.sale["value"], event.sale["currency"]
            number = event.key.partition(":")[2]
            return [
                (
                    "phone_sale",
                    {**params, "transaction_id": number, "value": value, "currency": currency},
                )
            ]
        status = "missed"
        if call.answered:
            status = "answered"
        params |= {
            "call_status": status,
            "call_duration": round(call.talk_seconds),
            "call_verdict": call.facts.get("verdict", "unknown"),
        }
        names = {
            "phone_call": not event.again,
            "first_phone_call": call.first is True and not event.again,
            "target_phone_call": self._target.counts(call),
        }
        return [(name, params) for name, happened in names.items() if happened]


def _began(session: str | None, call: CallEvent) -> datetime | None:
    """The start of the session: GA4 names a session by the second in which it began."""
    if session and len(session) == 10 and session.isascii() and session.isdigit():
        return datetime.fromtimestamp(int(session), UTC)
    return call.visited_at


def _event(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    cut = {}
    for key, value in params.items():
        if isinstance(value, str):
            value = value[:_VALUE]
        cut[key[:_NAME]] = value
    return {"name": name[:_NAME], "params": cut}


def _in_words(message: Any) -> str:
    if not isinstance(message, dict):
        return one_line(str(message))
    return one_line(f"{message.get('fieldPath') or 'the request'}: {message.get('description')}")
