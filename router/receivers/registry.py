"""Opens the adapter of a connection: the one place that knows which kinds there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.domain.delivery.connection import Connection
from router.errors import ConfigurationError, ReceiverUnavailable
from router.receivers.amocrm.adapter import AmoCrm
from router.receivers.bitrix24.adapter import Bitrix24
from router.receivers.ga4.adapter import Ga4
from router.receivers.google_ads.adapter import TOKENS, GoogleAds
from router.receivers.http import NO_RIGHT, Outside, Pacer
from router.receivers.hubspot.adapter import Hubspot
from router.receivers.metrica.adapter import MOST, Metrica
from router.receivers.network import Network
from router.receivers.retailcrm.adapter import RetailCrm
from router.receivers.tryton.adapter import Tryton
from router.secrets import load_secrets
from router.service.clock import Clock
from router.service.delivery.ports import Crm
from router.service.delivery.senders import Analytics
from router.service.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of account: its adapter, what it logs in with, what else it may be told, and how
    fast it takes requests.

    Options are shown with what they mean; an empty default may stay empty.
    """

    title: str
    adapter: Callable[[Connection, Mapping[str, str], Outside], Any]
    token: Mapping[str, str]  # name → what it is, for the person who is asked
    options: Mapping[str, str]  # likewise
    per_second: float
    burst: int
    address: str = ""  # where there is one server for everybody
    analytics: bool = False
    most: int = 1  # deliveries in one request


KINDS: Mapping[str, Kind] = {
    "amocrm": Kind(
        title="amoCRM (Kommo)",
        adapter=AmoCrm,
        token={"token": "long-lived token of a private integration, made by an administrator"},
        options={
            "pipeline": "number of the pipeline of new leads, the main one if left empty",
            "status": "number of their status, the first if left empty",
            "tag": "of new leads; none if left empty",
            "field": "of the client ID in leads: number, code or name; "
            "the statistics field GCLIENTID "
            "if left empty",
            "contact_field": "the same in contacts and companies; GA_CLIENT_ID if left empty",
        },
        per_second=5,
        burst=5,
    ),
    "bitrix24": Kind(
        title="Bitrix24",
        adapter=Bitrix24,
        token={"webhook": "USER/CODE of an incoming webhook with 'crm' and 'telephony'"},
        options={
            "field": "user field of the client ID; UF_CRM_GA_CLIENT_ID if left empty",
            "category": "number of the pipeline of new deals; 0, the general one, if left empty",
            "trace": "on: the visit goes into Bitrix24's own analytics, too; off if left empty",
        },
        per_second=2,
        burst=40,
    ),
    "ga4": Kind(
        title="Google Analytics 4",
        adapter=Ga4,
        token={"api_secret": "secret of the Measurement Protocol: Admin, Data streams, the stream"},
        options={
            "measurement_id": "of the site's web stream, e.g. G-ABC123DEF4",
            "target_seconds": "a call talked for so long is a target call "
            "too; none is if left empty",
            "consent": "GRANTED or DENIED, for advertising; not told if left empty",
        },
        per_second=20,
        burst=20,
        address="https://www.google-analytics.com",
        analytics=True,
    ),
    "google-ads": Kind(
        title="Google Ads",
        adapter=GoogleAds,
        token={
            "client_id": "of an OAuth client of your Google Cloud project, "
            "which has the Data Manager API",
            "client_secret": "of the same client",
            "refresh_token": "with the scope https://www.googleapis.com/auth/datamanager",
        },
        options={
            "account": "number of the advertiser's account, ten digits",
            "login_account": "number of the manager account that opens it, the same if left empty",
            "conversion_action": "number of the action that counts calls; calls "
            "are not told if left empty",
            "sale_action": "number of the action that counts sales; sales "
            "are not told if left empty",
            "target_seconds": "a call counts if it was talked for so long; "
            "every call does if left empty",
            "consent": "GRANTED or DENIED, for advertising; not told if left empty",
            "event_source": "PHONE if left empty",
            "quota_project": "of Google Cloud, only where Google asks for it",
            "token_address": f"{TOKENS} if left empty",
        },
        per_second=5,
        burst=10,
        address="https://datamanager.googleapis.com",
        analytics=True,
        most=1000,
    ),
    "hubspot": Kind(
        title="HubSpot",
        adapter=Hubspot,
        token={
            "token": "service key (Development, Keys, Service keys), "
            "or the access token of an older "
            "private app"
        },
        options={
            "pipeline": "of new deals, 'default' if left empty",
            "stage": "of new deals, 'appointmentscheduled' if left empty",
            "field": "property of the client ID, 'ga_client_id' if left empty",
            "portal": "number of the account (Hub ID), for links to its "
            "pages; HubSpot asks which one "
            "if left empty",
        },
        per_second=9,
        burst=20,
        address="https://api.hubapi.com",
    ),
    "metrica": Kind(
        title="Yandex.Metrica",
        adapter=Metrica,
        token={"token": "OAuth token with the right metrika:write"},
        options={
            "counter": "number of the counter",
            "goal": "name of the goal of calls that Metrica makes with the first of them; none if "
            "left empty",
            "sale_goal": "identifier of the goal of sales, 'phone_sale' if left empty",
            "target_seconds": "a call talked for so long is a target call "
            "too; none is if left empty",
            "target_goal": "identifier of the goal of target calls, 'target_call' if left empty",
            "phone": "'on' to tell the caller's number",
        },
        per_second=5,
        burst=10,
        address="https://api-metrika.yandex.net",
        analytics=True,
        most=MOST,
    ),
    "retailcrm": Kind(
        title="RetailCRM (Simla)",
        adapter=RetailCrm,
        token={"key": "API key"},
        options={
            "site": "code of the shop; the key's only one if left empty",
            "method": "code of the order method of new orders; phone if left empty",
            "field": "code of the custom field of the client ID; ga_client_id if left empty",
            "timezone": "of the account's settings; Europe/Moscow if left empty",
            "closed": "codes of the status groups of closed orders; complete,cancel if left empty",
            "analytics": "off: the client ID goes into the field alone, not into RetailCRM's own "
            "analytics, too",
            "calls": "on: calls that become orders go into the telephony module, too",
        },
        per_second=8,
        burst=8,
    ),
    "tryton": Kind(
        title="Tryton",
        adapter=Tryton,
        token={"key": "key of a user application 'rest'"},
        options={
            "database": "name of the database; tryton if left empty",
            "company": "number of the company; 1 if left empty",
            "field": "field of the client ID, which a module of yours "
            "adds; ga_client_id if left empty",
        },
        per_second=20,
        burst=20,
    ),
}


_Opened = tuple[Connection, Mapping[str, str], Any, Outside]


class Accounts:
    """Adapters that are open in this process, each with its connections to the server."""

    def __init__(
        self,
        store: Store,
        home: Path,
        clock: Clock,
        network: Network | None = None,
    ) -> None:
        self._store, self._home, self._clock, self._network = store, home, clock, network
        self._open: dict[str, _Opened] = {}
        self._left: list[Outside] = []

    def open(self, connection: Connection) -> Crm | Analytics:
        """The adapter; opened anew when the connection or its token has changed. Raises
        `ReceiverUnavailable`.
        """
        mend = f"run `ringtrace crm connect {connection.id}`"
        try:
            token = load_secrets(self._home).tokens.get(connection.id)
        except (ConfigurationError, OSError) as error:
            raise ReceiverUnavailable(
                f"our secrets cannot be read: {error}", pause=NO_RIGHT
            ) from error
        if token is None:
            raise ReceiverUnavailable(f"'{connection.id}' has no token: {mend}", pause=NO_RIGHT)
        known = self._open.get(connection.id)
        if known is None or known[:2] != (connection, token):
            if known is not None:
                self._left.append(known[3])  # others may be in the middle of a request
            try:
                known = self._open[connection.id] = self._opened(connection, token)
            except (KeyError, TypeError, ValueError) as error:
                reason = f"the settings of '{connection.id}' cannot be used ({error!r}): {mend}"
                raise ReceiverUnavailable(reason, pause=NO_RIGHT) from error
        adapter: Crm | Analytics = known[2]
        return adapter

    def _opened(self, connection: Connection, token: Mapping[str, str]) -> _Opened:
        kind = KINDS[connection.kind]
        pace = Pacer(self._store, connection.id, kind.per_second, kind.burst, self._clock)
        outside = Outside(
            connection.address, {}, pace, secrets=token.values(), network=self._network
        )
        return connection, token, kind.adapter(connection, token, outside), outside

    @staticmethod
    def most(connection: Connection) -> int:
        """How many deliveries one request may carry."""
        kind = KINDS.get(connection.kind)
        return kind.most if kind else 1

    async def close(self) -> None:
        """Let go of connections."""
        for outside in (*self._left, *(one[3] for one in self._open.values())):
            await outside.close()
