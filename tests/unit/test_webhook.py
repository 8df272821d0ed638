"""The signature by which a receiver knows that a delivery is ours."""

import hashlib
import hmac

from router.receivers.webhook import sign, webhook_secret


def test_a_receiver_can_compute_the_signature_by_itself() -> None:
    body = '{"caller":"Анна"}'.encode()
    by_hand = hmac.new(b"secret", b"1768912345." + body, hashlib.sha256).hexdigest()
    assert sign("secret", 1768912345, body) == f"v1={by_hand}"


def test_another_body_moment_or_secret_has_another_signature() -> None:
    made = {sign("s", 1, b"a"), sign("s", 1, b"b"), sign("s", 2, b"a"), sign("t", 1, b"a")}
    assert len(made) == 4


def test_each_webhook_has_a_secret_of_its_own_that_only_the_installation_can_make() -> None:
    assert webhook_secret("key", "crm") == webhook_secret("key", "crm")
    assert len({webhook_secret(key, name) for key in ("key", "other") for name in ("crm", "erp")}) == 4
    assert "key" not in webhook_secret("key", "crm")
