"""The channel of a visit, by its source and medium or by the site's own rules."""

import pytest

from router.domain.visitors.channels import Kind, channel_of
from router.domain.visitors.site import SourceRule
from tests.unit.known_sources import KNOWN, read


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "channel"),
    [
        ("(direct)", "(none)", "", "Direct"),
        ("google", "cpc", "cross-network", "Cross-network"),
        ("google", "cpc", "", "Paid Search"),
        ("google", "cpm", "", "Paid Search"),
        ("google", "ppc", "summer-shop", "Paid Shopping"),
        ("ozon", "cpc", "", "Paid Shopping"),
        ("vk", "paid_social", "", "Paid Social"),
        ("youtube", "cpv", "", "Paid Video"),
        ("somewhere", "cpa", "", "Paid Other"),
        ("somewhere", "cpm", "", "Display"),
        ("somewhere", "banner", "", "Display"),
        ("ozon", "referral", "", "Organic Shopping"),
        ("anyone", "x", "shopping", "Organic Shopping"),
        ("anyone", "x", "eshop", "Organic Shopping"),
        ("anyone", "x", "workshop", "Unassigned"),
        ("vk", "whatever", "", "Organic Social"),
        ("anyone", "sm", "", "Organic Social"),
        ("youtube", "referral", "", "Organic Video"),
        ("anyone", "tv-video-ad", "", "Organic Video"),
        ("google", "(not set)", "", "Organic Search"),
        ("anyone", "organic", "", "Organic Search"),
        ("anyone", "link", "", "Referral"),
        ("e_mail", "x", "", "Email"),
        ("anyone", "e-mail", "", "Email"),
        ("anyone", "affiliate", "", "Affiliates"),
        ("anyone", "audio", "", "Audio"),
        ("sms", "x", "", "SMS"),
        ("anyone", "sms", "", "SMS"),
        ("anyone", "web push", "", "Mobile Push Notifications"),
        ("anyone", "mobile_app", "", "Mobile Push Notifications"),
        ("firebase", "x", "", "Mobile Push Notifications"),
        ("anyone", "ai-assistant", "", "AI Assistant"),
        ("anyone", "flyer", "", "Unassigned"),
    ],
)
def test_a_channel_is_the_one_google_analytics_would_name(
    source: str, medium: str, campaign: str, channel: str
) -> None:
    known = KNOWN.get(source)
    assert channel_of(source, medium, campaign, Kind(known[1]) if known else None) == channel


def test_the_sites_own_rules_count_first_and_the_first_of_them() -> None:
    rules = (
        SourceRule(field="landing", text="/АКЦИЯ", channel="Акция"),
        SourceRule(field="source", text="YAN", channel="Наш Яндекс"),
        SourceRule(field="source", text="yandex", channel="never"),
    )
    assert (
        read("https://shop.ru/?utm_source=yandex&utm_medium=cpc", None, rules).channel
        == "Наш Яндекс"
    )
    assert (
        read(
            "https://shop.ru/%D0%B0%D0%BA%D1%86%D0%B8%D1%8F?utm_source=yandex", None, rules
        ).channel
        == "Акция"
    )
    assert read("https://shop.ru/?utm_source=vk", None, rules).channel == "Organic Social"


def test_a_direct_visit_may_have_a_channel_by_its_landing_page() -> None:
    rules = (SourceRule(field="landing", text="/qr", channel="QR code"),)
    source = read("https://shop.ru/qr", None, rules)
    assert source.channel == "QR code"
    assert source.direct
