"""Sends calls and reached goals to Yandex.Metrica as files, each line matched to a visit.

Metrica does not detect duplicate lines. So an upload's comment contains a short mark of each key,
and before each upload the list of uploads is searched for the marks of earlier attempts. Hours
later the same list says whether Metrica matched the lines to visits.
"""

import csv
import hashlib
import io
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from router.domain.delivery.analytics_codes import MetricaCode, VisitorCode
from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.codes import SettingCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Result, Use
from router.domain.delivery.outcome import Outcome, joined
from router.receivers.http import HttpClient
from router.receivers.json_body import member
from router.receivers.kept_tokens import fixed_token
from router.receivers.metrica.api import LISTS, Api, part
from router.receivers.metrica.setup import Setup
from router.receivers.metrica.uploads import Upload, read_upload, result_of
from router.receivers.target_calls import target_rule
from router.service.delivery.analytics import AnalyticsEvent
from router.service.delivery.outcomes import NotYet, ReceiverUnavailable, Refused, SendResult
from router.service.delivery.ports import Check

MOST = 30  # lines of one upload: a comment holds 255 letters and digits
# until an accepted upload of unknown outcome is in the list
SETTLE = timedelta(minutes=2)
TARGET = ":target"  # suffix of the key of a goal that a call reached by its length
_SIGN, _MARK = "Ringtrace", 8
_PAGE, _PAGES = 5000, 40  # pages of the list of uploads
# lines are bound to visits within hours, at the latest within a day
_LOOK, _MOST_LOOKS = (
    timedelta(hours=2),
    13,
)


class Metrica:
    """The `Analytics` over one counter; options: see `receiver.py`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        options = connection.options
        self._api = Api(http, options.get("counter", ""), fixed_token(token))
        self._goal, self._sale_goal = (
            options.get("goal", ""),
            options.get("sale_goal") or "phone_sale",
        )
        self._target, self._target_goal = (
            target_rule(options),
            options.get("target_goal") or "target_call",
        )
        self._phones = options.get("phone") == "on"
        self._setup = Setup(self._api, self._needed())

    async def send(self, events: Sequence[AnalyticsEvent]) -> SendResult:
        """Upload calls, target calls and sales in separate files, one for each column of ids."""
        files: dict[tuple[str, str, bool], list[tuple[AnalyticsEvent, str]]] = {}
        results: dict[str, Result] = {}
        for event in events:
            column, who = _who(event.call)
            if not who:
                why = Outcome.of(VisitorCode.VISITOR_FORGOTTEN)
                results[event.key] = Result(use=Use.USED, outcome=why)
            elif not (who.isascii() and who.isdigit() and int(who[:21]) < 2**64):
                about = {"name": column, "found": who[:40], "system": "Metrica"}
                why = Outcome.of(SettingCode.NOT_A_NUMBER, **about)
                results[event.key] = Result(use=Use.NEVER, outcome=why)
            else:
                for line in self._lines(event):
                    place = (_kind(line), column, "value" in line.sale)
                    files.setdefault(place, []).append((line, who))
        said: list[Outcome] = []
        for (kind, column, _), lines in files.items():
            for start in range(0, len(lines), MOST):
                some = lines[start : start + MOST]
                try:
                    said.append(await self._upload(kind, column, some))
                except Refused as error:
                    never = Result(use=Use.NEVER, outcome=error.outcome)
                    results |= {event.key.removesuffix(TARGET): never for event, _ in some}
        look_in = None
        if said:
            look_in = _LOOK
        return SendResult(said=joined(said), results=results, look_in=look_in)

    async def outcome(
        self, events: Sequence[AnalyticsEvent], receipt: Outcome, *, looks: int
    ) -> SendResult:
        """The result of uploads. Raises `NotYet` while Metrica is processing them."""
        uploads = dict[str, dict[str, Upload]]()  # kind → mark → upload
        results, works = dict[str, Result](), False
        for event in events:
            if not _who(event.call)[1]:
                continue
            found = list[Upload]()
            for line in self._lines(event):
                kind = _kind(line)
                if kind not in uploads:
                    uploads[kind] = await self._uploads(kind)
                upload = uploads[kind].get(mark(line.key))
                works |= upload is None or upload.works
                if upload is not None:
                    found.append(upload)
            results[event.key] = result_of(found, receipt)

        if not works:
            return SendResult(said=receipt, results=results)
        if looks < _MOST_LOOKS:
            raise NotYet(MetricaCode.METRICA_WORKS, _LOOK)
        return SendResult(said=receipt.with_([Outcome.of(MetricaCode.METRICA_SILENT)]))

    def _lines(self, event: AnalyticsEvent) -> list[AnalyticsEvent]:
        """A call, and what it reached; of one that was sent before, only that."""
        reached = self._reached(event)
        if event.again:
            return reached
        return [event, *reached]

    def _reached(self, event: AnalyticsEvent) -> list[AnalyticsEvent]:
        """The goal that a target call reaches, as a separate event."""
        if event.sale or not self._target.counts(event.call):
            return []
        return [
            replace(
                event,
                key=event.key + TARGET,
                sale={"goal": self._target_goal, "at": event.at.isoformat()},
            )
        ]

    async def _upload(
        self, kind: str, column: str, lines: Sequence[tuple[AnalyticsEvent, str]]
    ) -> Outcome:
        uploads = await self._uploads(kind)
        uploaded = {known for known, upload in uploads.items() if not upload.lost}
        new = [(event, who) for event, who in lines if mark(event.key) not in uploaded]
        if not new:
            return Outcome.of(MetricaCode.METRICA_UPLOADED_BEFORE, count=len(lines))
        row = self._conversion
        if kind == "upload_calls":
            row = self._call
        rows = [{column: who, **row(event)} for event, who in new]
        params = {"comment": _SIGN + "".join(mark(event.key) for event, _ in new)}
        if kind == "upload_calls" and self._goal:
            params["new_goal_name"] = self._goal
        file = {"file": ("ringtrace.csv", _csv(rows), "text/csv")}
        try:
            answer = await self._api.ask(
                "POST", f"offline_conversions/{kind}", params=params, files=file
            )
            uploading = part(answer, "uploading", dict)
        except ReceiverUnavailable as error:
            raise ReceiverUnavailable(error.outcome, pause=max(error.pause, SETTLE)) from error
        passed = uploading.get("line_quantity")
        counts = {"upload": str(uploading.get("id")), "count": len(new)}
        if isinstance(passed, int) and passed < len(new):
            return Outcome.of(MetricaCode.METRICA_UPLOAD_PARTLY, passed=passed, **counts)
        return Outcome.of(MetricaCode.METRICA_UPLOAD, **counts)

    async def _uploads(self, kind: str) -> dict[str, Upload]:
        """The newest of our uploads for each mark."""
        found: dict[str, Upload] = {}
        for page in range(_PAGES):
            params = {"limit": _PAGE, "offset": page * _PAGE}
            answer = await self._api.ask("GET", f"offline_conversions/{LISTS[kind]}", params=params)
            uploadings = part(answer, "uploadings", list)
            for row in uploadings:
                upload, comment = read_upload(row), _comment(row)
                for at in range(len(_SIGN), len(comment), _MARK):
                    key = comment[at : at + _MARK]
                    found[key] = max(found.get(key, upload), upload, key=lambda known: known.number)
            if len(uploadings) < _PAGE:
                break
        return found

    def _call(self, event: AnalyticsEvent) -> dict[str, str]:
        call, first = event.call, ""
        if call.first is not None:
            first = _flag(call.first)
        row = {
            "DateTime": str(int(event.at.timestamp())),
            "StaticCall": _flag(call.facts.get("verdict") == "static"),
            "TalkDuration": str(round(call.talk_seconds)),
            # Metrica's name for waiting for an answer
            "HoldDuration": call.facts.get("wait_seconds", ""),
            "CallMissed": _flag(not call.answered),
            "FirstTimeCaller": first,
        }
        if self._phones:
            return {**row, "PhoneNumber": call.caller or ""}
        return row

    def _conversion(self, event: AnalyticsEvent) -> dict[str, str]:
        row = {
            "Target": event.sale.get("goal", self._sale_goal),
            "DateTime": str(int(event.at.timestamp())),
        }
        if "value" not in event.sale:
            return row
        return {
            **row,
            "Price": f"{Decimal(str(event.sale['value'])):f}",
            "Currency": event.sale["currency"],
        }

    async def check(self) -> list[Check]:
        """Check the token's rights for the counter and its uploads, and the goals."""
        return await self._setup.check()

    async def prepare(self) -> list[str]:
        """Create missing goals."""
        return await self._setup.prepare()

    def _needed(self) -> dict[str, str]:
        """The goals that we upload, and what each is for."""
        needed = {self._sale_goal: "sales"}
        if self._target.is_set:
            needed[self._target_goal] = "target calls"
        return needed


def _flag(value: bool) -> str:
    return str(int(value))


def mark(key: str) -> str:
    """Forty bits of a key, in letters that a comment may contain."""
    return b32encode(hashlib.sha256(key.encode()).digest()[:5]).decode()


def _comment(row: Any) -> str:
    """The marks in the comment of one of our uploads, after our sign; empty for other uploads."""
    comment = member(row, "comment")
    if isinstance(comment, str) and comment.startswith(_SIGN):
        return comment
    return ""


def _who(call: CallEvent) -> tuple[str, str]:
    """The column that names the visitor, and the visitor's ID."""
    client_id = call.facts.get("ym_client_id")
    if client_id:
        return ("ClientId", client_id)
    return ("Yclid", call.facts.get("yclid", ""))


def _kind(event: AnalyticsEvent) -> str:
    """The kind of upload for this event."""
    if event.sale:
        return "upload"
    return "upload_calls"


def _csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
