"""Declaration of Google Ads."""

from datetime import timedelta

from router.receivers.declaration import Declaration
from router.receivers.google_ads.adapter import CLICKS, GoogleAds
from router.receivers.oauth import OAuth
from router.receivers.target_calls import OPTION

TOKENS = "https://oauth2.googleapis.com/token"

RECEIVER = Declaration(
    name="google-ads",
    title="Google Ads",
    adapter=GoogleAds,
    token={
        "client_id": "of an OAuth client in a Google Cloud project with the Data Manager API",
        "client_secret": "of the same OAuth client",
        "refresh_token": "with the scope https://www.googleapis.com/auth/datamanager",
    },
    oauth=OAuth(
        token=lambda connection: connection.options.get("token_address") or TOKENS,
        authorize=lambda _: "https://accounts.google.com/o/oauth2/v2/auth",
        asked={"access_type": "offline", "prompt": "consent"},
        scope="https://www.googleapis.com/auth/datamanager",
    ),
    options={
        "account": "ID of the Google Ads account, ten digits",
        "login_account": "ID of the manager account with access to it (default: the same account)",
        "conversion_action": "ID of the conversion action for calls (default: calls are not sent)",
        "sale_action": "ID of the conversion action for sales (default: sales are not sent)",
        "target_seconds": "shortest talk time of a call that counts (default: every call counts)",
        **OPTION,
        "consent": "GRANTED or DENIED, for advertising (default: not sent)",
        "event_source": "source of the events (default: PHONE)",
        "quota_project": "Google Cloud project that pays for the quota, if Google requires it",
        "token_address": f"URL of the OAuth token endpoint (default: {TOKENS})",
    },
    per_second=5,
    burst=10,
    address="https://datamanager.googleapis.com",
    analytics=True,
    needs_one_of=CLICKS,
    cut_off=timedelta(days=90),
    batch=1000,
)
