"""Declaration of Yandex.Metrica."""

from datetime import timedelta

from router.domain.delivery.connection import Connection
from router.receivers.declaration import Declaration
from router.receivers.metrica.adapter import MOST, Metrica
from router.receivers.oauth import OAuth, in_header
from router.receivers.target_calls import OPTION

_SERVER = "https://oauth.yandex.ru"


def _server(connection: Connection) -> str:
    return (connection.options.get("oauth_server") or _SERVER).rstrip("/")


RECEIVER = Declaration(
    name="metrica",
    title="Yandex.Metrica",
    adapter=Metrica,
    token={"token": "OAuth token with the right metrika:write"},
    oauth=OAuth(
        token=lambda connection: f"{_server(connection)}/token",
        authorize=lambda connection: f"{_server(connection)}/authorize",
        sign=in_header("OAuth"),
    ),
    options={
        "counter": "ID of the counter",
        "goal": "name of the goal for calls, which Metrica creates with the first call "
        "(default: no goal)",
        "sale_goal": "identifier of the goal for sales (default: phone_sale)",
        "target_seconds": "shortest talk time of a target call (default: no target calls)",
        **OPTION,
        "target_goal": "identifier of the goal for target calls (default: target_call)",
        "oauth_server": f"server that issues tokens to apps (default: {_SERVER})",
        "phone": "on: send the caller's number as well (default: off)",
    },
    per_second=5,
    burst=10,
    address="https://api-metrika.yandex.net",
    analytics=True,
    needs_one_of=("ym_client_id", "yclid"),
    cut_off=timedelta(days=21),
    every=timedelta(minutes=5),
    batch=MOST,
)
