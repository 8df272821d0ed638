"""Where a visit came from, by its address and its referrer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from router.domain.visitors.site import SourceRule
from router.domain.visitors.sources import CLICK_IDS, Source, brings_new_source, read_source
from router.domain.visitors.visit import Visit
from tests.unit.known_sources import KNOWN, read


def origin(url: str, referrer: str | None = None) -> tuple[str, str]:
    source = read(url, referrer)
    return source.source, source.medium


def visit(source: Source) -> Visit:
    return Visit(
        id="v",
        visitor_id="b",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        source=source.source,
        medium=source.medium,
        campaign=source.campaign,
        term=source.term,
        content=source.content,
        click_ids=source.click_ids,
    )


# labels


@pytest.mark.parametrize(
    "query",
    [
        "utm_source=Yandex&utm_medium=CPC&utm_campaign=диваны",
        "UTM_SOURCE=yandex&Utm_Medium=cpc&utm_campaign=%D0%B4%D0%B8%D0%B2%D0%B0%D0%BD%D1%8B",
        "utm_source=yandex&utm_medium=cpc&utm_campaign=%25D0%25B4%25D0%25B8%25D0%25B2%25D0%25B0%25D0%25BD%25D1%258B",
        "utm_source=yandex&utm_medium=cpc&utm_campaign=%E4%E8%E2%E0%ED%FB",  # windows-1251
        "utm_source[]=yandex&utm_medium%5B%5D=cpc&utm_campaign=диваны",
        "utm_source=yandex&amp;utm_medium=cpc&amp;utm_campaign=диваны",
        "id=1?utm_source=yandex&utm_medium=cpc&utm_campaign=диваны",
        "utm_source=&utm_source=yandex&utm_source=vk&utm_medium=cpc&utm_campaign=диваны",
        "utm_source=yan%00dex%0A".replace("%00", "") + "&utm_medium=+cpc+&utm_campaign=%09диваны",
        "#utm_source=yandex&utm_medium=cpc&utm_campaign=диваны",
        "utm_source%3Dyandex%26utm_medium%3Dcpc%26utm_campaign%3Dдиваны",
        "?%3Futm_source=yandex;utm_medium=cpc;utm_campaign=диваны",
    ],
)
def test_labels_are_read_however_the_link_was_spoilt(query: str) -> None:
    source = read(f"https://shop.ru/sofas?{query}", "https://vk.com/")
    assert (source.source, source.medium, source.campaign) == ("yandex", "cpc", "диваны")
    assert source.channel == "Paid Search"


def test_labels_come_before_click_ids_and_these_before_the_referrer() -> None:
    everything = "https://shop.ru/?utm_source=vk&utm_medium=social&gclid=1"
    assert origin(everything, "https://yandex.ru/") == ("vk", "social")
    assert origin("https://shop.ru/?gclid=1", "https://yandex.ru/") == ("google", "cpc")
    assert origin("https://shop.ru/", "https://yandex.ru/") == ("yandex", "organic")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("utm_source=newsletter", ("newsletter", "(not set)")),
        ("utm_medium=email", ("(not set)", "email")),
        ("utm_campaign=spring", ("(not set)", "(not set)")),
        ("utm_campaign=spring&yclid=7", ("yandex", "cpc")),
        ("utm_source=google&gclid=7", ("google", "cpc")),
    ],
)
def test_a_label_that_is_missing_is_filled_from_the_click_or_left_unset(
    query: str, expected: tuple[str, str]
) -> None:
    assert origin(f"https://shop.ru/?{query}") == expected


def test_everything_a_label_says_is_kept_beside_the_source() -> None:
    source = read(
        "https://shop.ru/a/b?utm_source=g&utm_id=77&utm_term=купить+диван&utm_content=ad1&gbraid=x&yclid=y"
    )
    assert (source.campaign, source.term, source.content) == ("77", "купить диван", "ad1")
    assert source.click_ids == {"gbraid": "x", "yclid": "y"}
    assert source.path == "/a/b"


@pytest.mark.parametrize("name", CLICK_IDS)
def test_every_click_id_names_its_source_and_is_kept(name: str) -> None:
    source = read(f"https://shop.ru/?{name.upper()}=AbC-1")
    assert (source.source, source.medium) == CLICK_IDS[name]
    assert source.click_ids == {name: "AbC-1"}


def test_facebooks_mark_on_a_link_from_instagram_does_not_make_it_facebook() -> None:
    assert origin("https://shop.ru/?fbclid=1", "https://instagram.com/") == ("instagram", "social")
    assert origin("https://shop.ru/?fbclid=1") == ("facebook", "social")
    assert origin("https://shop.ru/?fbclid=1&gclid=2") == ("google", "cpc")


# referrers


@pytest.mark.parametrize(
    ("referrer", "source", "medium", "channel"),
    [
        ("https://www.google.com/", "google", "organic", "Organic Search"),
        ("https://YANDEX.ru./search/?text=x", "yandex", "organic", "Organic Search"),
        ("https://yandex.ru/maps/", "yandex maps", "referral", "Referral"),
        ("https://vk.com", "vk", "social", "Organic Social"),
        ("https://t.me/", "telegram", "social", "Organic Social"),
        ("https://mail.google.com/", "gmail", "email", "Email"),
        ("https://chatgpt.com/", "chatgpt", "ai-assistant", "AI Assistant"),
        ("https://www.partner.example/page", "partner.example", "referral", "Referral"),
        ("https://xn--e1afmkfd.xn--p1ai/", "пример.рф", "referral", "Referral"),
        ("android-app://com.some.app/", "com.some.app", "referral", "Referral"),
        ("https://odd.example/", "odd", "referral", "Referral"),
    ],
)
def test_a_referrer_names_the_source(referrer: str, source: str, medium: str, channel: str) -> None:
    found = read("https://shop.ru/", referrer)
    assert (found.source, found.medium, found.channel) == (source, medium, channel)
    assert found.referrer == referrer


@pytest.mark.parametrize(
    "referrer",
    [
        "",
        None,
        "about:blank",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://[",
        "//x",
        "data:,x",
    ],
)
def test_without_a_referrer_a_visit_is_direct(referrer: str | None) -> None:
    source = read("https://shop.ru/", referrer)
    assert source.direct
    assert (source.source, source.medium, source.channel) == ("(direct)", "(none)", "Direct")
    assert source.referrer is None


@pytest.mark.parametrize(
    "referrer",
    [
        "https://shop.ru/",
        "https://www.shop.ru/cart",
        "http://m.shop.ru:8080/",
        "https://blog.shop.ru/a?b",
    ],
)
def test_the_sites_own_domains_are_not_referrers(referrer: str) -> None:
    source = read("https://shop.ru/contacts", referrer)
    assert source.direct
    assert source.within


@pytest.mark.parametrize("own", ["shop.ru", "https://shop.ru", "https://www.shop.ru:8443"])
def test_the_sites_own_domains_may_be_given_as_origins(own: str) -> None:
    source = read_source("https://landing.example/", "https://shop.ru/", [own], (), KNOWN.get)
    assert source.within


@pytest.mark.parametrize(
    "referrer",
    ["https://myshop.ru/", "https://shop.ru.evil.example/", "https://shop.ru@x.example/"],
)
def test_who_only_looks_like_the_site_is_a_referrer(referrer: str) -> None:
    source = read("https://shop.ru/", referrer)
    assert not source.within
    assert source.medium == "referral"


def test_an_own_domain_in_russian_letters_is_known_in_both_spellings() -> None:
    source = read_source(
        "https://x.ru/", "https://xn--e1afmkfd.xn--p1ai/", ["пример.рф"], (), KNOWN.get
    )
    assert source.within


def test_who_comes_back_from_paying_has_never_left() -> None:
    source = read("https://shop.ru/thanks", "https://pay.bank.ru/ok")
    assert source.within
    assert source.direct


def test_the_advertisement_of_a_page_that_ended_before_it_was_heard_of_is_not_lost() -> None:
    """The first page was left before the answer, or waited for consent: the next one names it as
    its referrer.
    """
    ad = "https://shop.ru/?utm_source=vk&utm_medium=cpc&utm_campaign=winter&yclid=7"
    source = read("https://shop.ru/tyres", ad)
    assert (source.source, source.medium, source.campaign, source.channel) == (
        "vk",
        "cpc",
        "winter",
        "Paid Social",
    )
    assert (source.click_ids, source.within, source.path) == ({"yclid": "7"}, True, "/tyres")
    assert origin("https://shop.ru/tyres", ad.replace("shop.ru", "other.ru")) == (
        "other.ru",
        "referral",
    )
    assert origin("https://shop.ru/?utm_source=mail&utm_medium=email", ad) == ("mail", "email")


def test_a_referrer_lost_in_a_redirect_is_taken_from_the_address() -> None:
    url = "https://shop.ru/?utm_referrer=https%3A%2F%2Fvk.com%2F"
    assert origin(url) == ("vk", "social")
    assert origin(url, "https://shop.ru/redirect") == ("vk", "social")
    assert origin(url, "https://google.com/") == ("google", "organic")
    assert origin("https://shop.ru/?utm_referrer=https%3A%2F%2Fshop.ru%2F") == (
        "(direct)",
        "(none)",
    )


# a visit goes on


GOOGLE = read("https://shop.ru/?gclid=1")


@pytest.mark.parametrize(
    ("url", "referrer"),
    [
        ("https://shop.ru/contacts", ""),
        ("https://shop.ru/contacts", "https://shop.ru/"),
        ("https://shop.ru/?utm_source=banner&utm_medium=internal", "https://shop.ru/"),
        ("https://shop.ru/?gclid=1", ""),
        ("https://shop.ru/thanks", "https://pay.bank.ru/"),
    ],
)
def test_a_visit_goes_on_when_no_other_site_sent_the_visitor(url: str, referrer: str) -> None:
    assert not brings_new_source(visit(GOOGLE), read(url, referrer))


@pytest.mark.parametrize(
    ("url", "referrer"),
    [
        ("https://shop.ru/", "https://yandex.ru/"),
        ("https://shop.ru/?gclid=2", ""),
        ("https://shop.ru/?utm_source=google&utm_medium=cpc&utm_campaign=other", ""),
        ("https://shop.ru/?yclid=1", "https://shop.example/"),
    ],
)
def test_another_advertisement_engine_or_click_begins_a_new_visit(url: str, referrer: str) -> None:
    assert brings_new_source(visit(GOOGLE), read(url, referrer))


@pytest.mark.parametrize(
    "referrer",
    ["https://podeli.ru/pay", "https://acs7.some-bank.example/3ds", "https://id.club.example/"],
)
def test_a_plain_link_on_an_unknown_host_goes_on_with_the_visit(referrer: str) -> None:
    """Paying or logging in elsewhere: no list names all those hosts."""
    assert not brings_new_source(visit(GOOGLE), read("https://shop.ru/thanks", referrer))
    assert origin("https://shop.ru/thanks", referrer)[1] == "referral", (
        "without a going visit it is where they came from"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.ru/?utm_source=club",
        "https://shop.ru/?utm_campaign=may",
        "https://shop.ru/?gclid=7",
    ],
)
def test_labels_and_click_ids_on_an_unknown_host_begin_a_new_visit(url: str) -> None:
    assert brings_new_source(visit(GOOGLE), read(url, "https://id.club.example/"))


def test_a_host_that_a_rule_of_the_site_names_begins_a_new_visit() -> None:
    rule = SourceRule(field="referrer", text="partner.example", channel="Partners")
    came = read_source(
        "https://shop.ru/", "https://partner.example/page", (), [rule], lambda _: None
    )
    assert brings_new_source(visit(GOOGLE), came)


def test_a_second_click_on_the_same_free_result_is_the_same_visit() -> None:
    first, second = (read(f"https://shop.ru/?ysclid={mark}", "https://yandex.ru/") for mark in "ab")
    assert not brings_new_source(visit(first), second)


def test_an_advertisement_after_a_direct_visit_begins_a_new_one() -> None:
    assert brings_new_source(visit(read("https://shop.ru/")), GOOGLE)
    assert brings_new_source(replace(visit(GOOGLE), source=None, medium=None), GOOGLE)
