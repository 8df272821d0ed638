"""Declaration of Google Analytics 4."""

from router.receivers.declaration import Declaration
from router.receivers.ga4.adapter import OLDEST, Ga4
from router.receivers.target_calls import OPTION

RECEIVER = Declaration(
    name="ga4",
    title="Google Analytics 4",
    adapter=Ga4,
    token={
        "api_secret": "API secret of the Measurement Protocol: Admin, Data streams, your web stream"
    },
    options={
        "measurement_id": "of your web stream, e.g. G-ABC123DEF4",
        "target_seconds": "shortest talk time of a target call (default: no target calls)",
        **OPTION,
        "consent": "GRANTED or DENIED, for advertising (default: not sent)",
    },
    per_second=20,
    burst=20,
    address="https://www.google-analytics.com",
    analytics=True,
    needs_one_of=("ga_client_id",),
    cut_off=OLDEST,
    sales_from_their_own_time=True,
)
