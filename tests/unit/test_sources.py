"""Where a visit came from, by its address and its referrer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router.domain.address import MAX_ADDRESS, MAX_LABEL, MAX_WORD, clean, host_of, read_address, within
from router.domain.channels import Kind, channel_of
from router.domain.site import SourceRule
from router.domain.sources import CLICK_IDS, Source, brings_new_source, read_source
from router.domain.visit import Visit

OWN = ["shop.ru"]
KNOWN = {
    "google.com": ("google", "search"),
    "google": ("google", "search"),
    "yandex.ru": ("yandex", "search"),
    "yandex": ("yandex", "search"),
    "yandex.ru/maps": ("yandex maps", "maps"),
    "vk.com": ("vk", "social"),
    "vk": ("vk", "social"),
    "instagram.com": ("instagram", "social"),
    "youtube": ("youtube", "video"),
    "t.me": ("telegram", "messenger"),
    "mail.google.com": ("gmail", "mail"),
    "chatgpt.com": ("chatgpt", "assistant"),
    "ozon": ("ozon", "shopping"),
    "pay.bank.ru": ("bank", "errand"),
    "odd.example": ("odd", "a kind nobody knows"),
}


def read(url: str, referrer: str | None = None, rules: tuple[SourceRule, ...] = ()) -> Source:
    return read_source(url, referrer, OWN, rules, KNOWN.get)


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
def test_a_label_that_is_missing_is_filled_from_the_click_or_left_unset(query: str, expected: tuple[str, str]) -> None:
    assert origin(f"https://shop.ru/?{query}") == expected


def test_everything_a_label_says_is_kept_beside_the_source() -> None:
    source = read("https://shop.ru/a/b?utm_source=g&utm_id=77&utm_term=купить+диван&utm_content=ad1&gbraid=x&yclid=y")
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
    ["", None, "about:blank", "javascript:alert(1)", "file:///etc/passwd", "https://", "https://[", "//x", "data:,x"],
)
def test_without_a_referrer_a_visit_is_direct(referrer: str | None) -> None:
    source = read("https://shop.ru/", referrer)
    assert source.direct
    assert (source.source, source.medium, source.channel) == ("(direct)", "(none)", "Direct")
    assert source.referrer is None


@pytest.mark.parametrize(
    "referrer",
    ["https://shop.ru/", "https://www.shop.ru/cart", "http://m.shop.ru:8080/", "https://blog.shop.ru/a?b"],
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
    "referrer", ["https://myshop.ru/", "https://shop.ru.evil.example/", "https://shop.ru@x.example/"]
)
def test_who_only_looks_like_the_site_is_a_referrer(referrer: str) -> None:
    source = read("https://shop.ru/", referrer)
    assert not source.within
    assert source.medium == "referral"


def test_an_own_domain_in_russian_letters_is_known_in_both_spellings() -> None:
    source = read_source("https://x.ru/", "https://xn--e1afmkfd.xn--p1ai/", ["пример.рф"], (), KNOWN.get)
    assert source.within


def test_who_comes_back_from_paying_has_never_left() -> None:
    source = read("https://shop.ru/thanks", "https://pay.bank.ru/ok")
    assert source.within
    assert source.direct


def test_a_referrer_lost_in_a_redirect_is_taken_from_the_address() -> None:
    url = "https://shop.ru/?utm_referrer=https%3A%2F%2Fvk.com%2F"
    assert origin(url) == ("vk", "social")
    assert origin(url, "https://shop.ru/redirect") == ("vk", "social")
    assert origin(url, "https://google.com/") == ("google", "organic")
    assert origin("https://shop.ru/?utm_referrer=https%3A%2F%2Fshop.ru%2F") == ("(direct)", "(none)")


# channels


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
    assert read("https://shop.ru/?utm_source=yandex&utm_medium=cpc", None, rules).channel == "Наш Яндекс"
    assert read("https://shop.ru/%D0%B0%D0%BA%D1%86%D0%B8%D1%8F?utm_source=yandex", None, rules).channel == "Акция"
    assert read("https://shop.ru/?utm_source=vk", None, rules).channel == "Organic Social"


def test_a_direct_visit_may_have_a_channel_by_its_landing_page() -> None:
    rules = (SourceRule(field="landing", text="/qr", channel="QR code"),)
    source = read("https://shop.ru/qr", None, rules)
    assert source.channel == "QR code"
    assert source.direct


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
def test_a_visit_goes_on_when_nobody_else_sent_the_visitor(url: str, referrer: str) -> None:
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


def test_a_second_click_on_the_same_free_result_is_the_same_visit() -> None:
    first, second = (read(f"https://shop.ru/?ysclid={mark}", "https://yandex.ru/") for mark in "ab")
    assert not brings_new_source(visit(first), second)


def test_an_advertisement_after_a_direct_visit_begins_a_new_one() -> None:
    assert brings_new_source(visit(read("https://shop.ru/")), GOOGLE)
    assert brings_new_source(replace(visit(GOOGLE), source=None, medium=None), GOOGLE)


# strangers' words


@given(
    url=st.text() | st.text().map("https://shop.ru/?".__add__), referrer=st.none() | st.text().map("https://".__add__)
)
def test_nothing_raises_and_everything_is_clean_and_short(url: str, referrer: str | None) -> None:
    source = read(url, referrer)
    words = [source.source, source.medium, source.campaign, source.term, source.content, source.path, source.channel]
    for word in words:
        assert word is None or (len(word) <= MAX_WORD and word.isprintable() and word)
    for text in (source.landing, source.referrer):
        assert text is None or (len(text) <= MAX_ADDRESS and text.isprintable())


@example([], b"\xff\x98")  # a byte that windows-1251 has no letter for
@given(st.lists(st.tuples(st.sampled_from(["utm_source", "utm_medium", "gclid", "x"]), st.text())), st.binary())
def test_labels_of_any_bytes_are_read(pairs: list[tuple[str, str]], raw: bytes) -> None:
    noise = "".join(f"%{byte:02x}" for byte in raw)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    source = read(f"https://shop.ru/{noise}?{noise}&{query}&utm_term={noise}")
    assert source.path.startswith("/")
    assert "\0" not in repr(source)


@given(st.text(alphabet=st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Cs"]), min_size=1))
def test_what_cannot_be_seen_is_taken_out(text: str) -> None:
    assert clean(f"a{text}b") == "a b"


def test_long_words_are_cut() -> None:
    source = read("https://shop.ru/" + "p" * 900 + "?utm_source=" + "s" * 900)
    assert len(source.source) == MAX_WORD
    assert len(source.path) == MAX_WORD
    assert read("https://shop.ru/?fbclid=" + "f" * 400).click_ids == {"fbclid": "f" * 400}
    assert len(read("https://shop.ru/?fbclid=" + "f" * 900).click_ids["fbclid"]) == MAX_LABEL
    assert len(read_address("https://shop.ru/?" + "x" * 9000).text) == MAX_ADDRESS


def test_a_host_is_compared_in_one_spelling() -> None:
    assert host_of("WWW.Shop.RU.") == "shop.ru"
    assert host_of("xn--e1afmkfd.xn--p1ai") == "пример.рф"
    assert host_of("xn--\ud800") == "xn--"
    assert within("a.shop.ru", "shop.ru")
    assert not within("ashop.ru", "shop.ru")
