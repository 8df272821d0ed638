"""The signature by which a receiver knows that a delivery is ours: that of the Standard Webhooks
specification.
"""

import base64
import hashlib
import hmac
import time

import pytest
import standardwebhooks

from router.receivers.webhook import message_id, sign, webhook_secret

SECRET = webhook_secret("key", "crm")
BODY = '{"caller":"Анна"}'


def headers(message: str = "msg_1", **changed: str) -> dict[str, str]:
    now = int(time.time())
    made = {
        "webhook-id": message,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(SECRET, message, now, BODY.encode()),
    }
    return made | {name.replace("_", "-"): value for name, value in changed.items()}


def test_a_receiver_can_compute_the_signature_by_itself() -> None:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    made = hmac.new(key, b"msg_1.1768912345." + BODY.encode(), hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(made).decode()}"
    assert sign(SECRET, "msg_1", 1768912345, BODY.encode()) == expected


def test_the_library_of_the_specification_verifies_it() -> None:
    assert standardwebhooks.Webhook(SECRET).verify(BODY, headers()) == {"caller": "Анна"}


@pytest.mark.parametrize(
    "changed", [{"webhook_id": "msg_2"}, {"webhook_timestamp": str(int(time.time()) - 1)}]
)
def test_another_id_or_moment_is_not_verified(changed: dict[str, str]) -> None:
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(BODY, headers(**changed))


def test_another_body_or_secret_is_not_verified() -> None:
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(BODY + " ", headers())
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(webhook_secret("key", "erp")).verify(BODY, headers())


def test_each_webhook_has_a_secret_of_its_own_that_only_the_installation_can_make() -> None:
    assert webhook_secret("key", "crm") == webhook_secret("key", "crm")
    assert (
        len({webhook_secret(key, name) for key in ("key", "other") for name in ("crm", "erp")}) == 4
    )
    assert 24 <= len(base64.b64decode(SECRET.removeprefix("whsec_"))) <= 64


def test_a_message_id_holds_no_full_stop_and_is_that_of_its_key() -> None:
    key = "call.ended:rt1-1768912345.42"
    assert "." not in message_id(key)
    assert message_id(key) == message_id(key) != message_id(key + "0")
