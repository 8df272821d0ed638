"""What the world knows of a visitor: referrers and browsers, with the real data sets."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.visitors.channels import Kind
from router.domain.visitors.sources import CLICK_IDS, read_source
from router.enrichment.browsers import Browser, read_browser
from router.enrichment.referrers import Referrers

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) "
)
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.fixture(scope="module")
def referrers() -> Referrers:
    return Referrers()


# referrers


@pytest.mark.parametrize(
    ("place", "name", "kind"),
    [
        ("www.google.com", "google", "search"),
        ("google.co.uk/search", "google", "search"),
        ("yandex.ru", "yandex", "search"),
        ("ya.ru", "yandex", "search"),
        ("m.yandex.ru", "yandex", "search"),
        ("go.mail.ru", "mail.ru", "search"),
        ("duckduckgo.com", "duckduckgo", "search"),
        ("r.search.yahoo.com", "yahoo", "search"),
        ("vk.com", "vk", "social"),
        ("away.vk.com", "vk", "social"),
        ("m.ok.ru", "ok", "social"),
        ("dzen.ru", "dzen", "social"),
        ("l.facebook.com", "facebook", "social"),
        ("ru.pinterest.com", "pinterest", "social"),
        ("www.youtube.com", "youtube", "video"),
        ("rutube.ru", "rutube", "video"),
        ("t.me", "telegram", "messenger"),
        ("web.telegram.org", "telegram", "messenger"),
        ("web.whatsapp.com", "whatsapp", "messenger"),
        ("invite.viber.com", "viber", "messenger"),
        ("m.me", "facebook messenger", "messenger"),
        ("2gis.ru", "2gis", "maps"),
        ("yandex.ru/maps/org/1", "yandex maps", "maps"),
        ("www.avito.ru", "avito", "board"),
        ("market.yandex.ru", "yandex market", "shopping"),
        ("e.mail.ru", "mail.ru mail", "mail"),
        ("com.google.android.gm", "gmail", "mail"),
        ("an.yandex.ru", "yandex.direct", "ads"),
        ("chatgpt.com", "chatgpt", "assistant"),
        ("securepay.tinkoff.ru", "tbank", "errand"),
        ("id.vk.com", "vk login", "errand"),
        ("yandex_direct", "yandex", "search"),
        ("deref-gmx.net", "gmx", "mail"),
        ("email.t-online.de", "t-online", "mail"),
        ("click.mail.ru", "mail.ru mail", "mail"),
        ("checklink.mail.ru/proxy", "mail.ru mail", "mail"),
        ("octavius.mail.ru", "mail.ru mail", "mail"),
        ("my.mail.ru", "my.mail.ru", "social"),
        ("account.mail.ru", "mail.ru login", "errand"),
        ("oauth.vk.ru", "vk login", "errand"),
        ("sso.ya.ru", "yandex login", "errand"),
        ("pay.ya.ru", "yandex pay", "errand"),
        ("hooks.stripe.com", "stripe", "errand"),
        ("login.microsoftonline.com", "microsoft login", "errand"),
        ("cn.bing.com", "bing", "search"),
        ("lite.duckduckgo.com", "duckduckgo", "search"),
        ("eu-browse.startpage.com", "startpage", "search"),
        ("yandex.com.am", "yandex", "search"),
        ("yandex.eu", "yandex", "search"),
        ("sogou.com", "sogou", "search"),
        ("ru.oneme.app", "max", "messenger"),
        ("org.telegram.messenger.web", "telegram", "messenger"),
        ("com.facebook.lite", "facebook", "social"),
        ("com.whatsapp.w4b", "whatsapp", "messenger"),
        ("com.instagram.barcelona", "threads", "social"),
        ("com.microsoft.bing", "bing", "search"),
        ("com.yandex.searchapp", "yandex", "search"),
        ("com.google.android.apps.searchlite", "google", "search"),
        ("com.anthropic.claude", "claude", "assistant"),
        ("x.com/i/grok", "grok", "assistant"),
        ("duck.ai", "duck.ai", "assistant"),
        ("2gis.uz", "2gis", "maps"),
        ("ozon.by", "ozon", "shopping"),
        ("digg.com", "digg", "social"),
        ("fb", "facebook", "social"),
        ("ecosia", "ecosia", "search"),
        ("vk video", "vk video", "video"),
    ],
)
def test_a_known_referrer_is_named_by_host_by_path_or_by_word(
    referrers: Referrers, place: str, name: str, kind: str
) -> None:
    assert referrers.find(place) == (name, kind)


@pytest.mark.parametrize(
    "place",
    [
        "news.mail.ru",
        "cloud.mail.ru",
        "otvet.mail.ru",
        "docs.google.com",
        "metrika.yandex.ru",
        "shop.example",
        "ru",
        "com",
        "",
        ".",
        "/",
        "notvk.com",
        "vk.com.ru",
    ],
)
def test_an_engines_other_services_and_strangers_are_not_known(
    referrers: Referrers, place: str
) -> None:
    assert referrers.find(place) is None


def test_every_kind_and_every_click_ids_source_is_one_the_rules_know(referrers: Referrers) -> None:
    assert {known[1] for group in referrers.groups for known in group.values()} <= set(Kind)
    assert not [source for source, _ in CLICK_IDS.values() if referrers.find(source) is None]


@pytest.mark.parametrize(
    ("url", "referrer", "channel"),
    [
        ("https://shop.ru/?yclid=1", "", "Paid Search"),
        ("https://shop.ru/?rb_clickid=1", "", "Paid Social"),
        ("https://shop.ru/?utm_source=vkontakte&utm_medium=cpc", "", "Paid Social"),
        ("https://shop.ru/?utm_source=telegram_ads&utm_medium=cpm", "", "Paid Social"),
        ("https://shop.ru/", "https://taboola.com/", "Display"),
        ("https://shop.ru/", "https://2gis.ru/moscow/firm/1", "Referral"),
        ("https://shop.ru/", "android-app://org.telegram.messenger/", "Organic Social"),
        (
            "https://shop.ru/",
            "android-app://com.google.android.googlequicksearchbox/",
            "Organic Search",
        ),
        ("https://shop.ru/", "https://market.yandex.ru/product/1", "Organic Shopping"),
        ("https://shop.ru/", "https://www.perplexity.ai/", "AI Assistant"),
        ("https://shop.ru/done", "https://auth.robokassa.ru/x", "Direct"),
    ],
)
def test_rules_and_data_set_agree_on_the_channel(
    referrers: Referrers, url: str, referrer: str, channel: str
) -> None:
    assert read_source(url, referrer, ["shop.ru"], (), referrers.find).channel == channel


# browsers


@pytest.mark.parametrize(
    ("user_agent", "browser"),
    [
        (
            WINDOWS + "Chrome/126.0.0.0 YaBrowser/24.7.0.0 Safari/537.36",
            Browser(device="desktop", browser="Yandex Browser", system="Windows"),
        ),
        (
            IPHONE + "Version/17.5 Mobile/15E148 Safari/604.1",
            Browser(device="mobile", browser="Mobile Safari", system="iOS"),
        ),
        (
            ANDROID + "Chrome/127.0.0.0 Mobile Safari/537.36",
            Browser(device="mobile", browser="Chrome Mobile", system="Android"),
        ),
        (
            ANDROID + "Chrome/127.0.0.0 Safari/537.36",
            Browser(device="tablet", browser="Chrome", system="Android"),
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
            "Gecko) "
            "Version/16.6 Mobile/15E148 Safari/604.1",
            Browser(device="tablet", browser="Mobile Safari", system="iOS"),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            Browser(device="desktop", browser="Firefox", system="Linux"),
        ),
        (
            "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36",
            Browser(device="other", system="Tizen"),
        ),
    ],
)
def test_a_browser_is_read(user_agent: str, browser: Browser) -> None:
    assert read_browser(user_agent) == browser


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "HeadlessChrome/120.0 Safari/537.36",
        "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/120 Safari/537.36 Prerender "
        "(+https://github.com/prerender/prerender)",
        "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/120 Safari/537.36 Rendertron",
        "curl/8.5.0",
        "python-requests/2.32",
        "TelegramBot (like TwitterBot)",
        "",
        "   ",
    ],
)
def test_a_robot_is_known(user_agent: str) -> None:
    assert read_browser(user_agent).robot


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_no_user_agent_is_too_absurd(user_agent: str) -> None:
    assert read_browser(user_agent).device in {"desktop", "mobile", "tablet", "other"}


@pytest.mark.parametrize("part", ["x", "Mozilla/5.0 (", "Android ", "a.b/1;", "("])
def test_a_long_user_agent_costs_no_more_than_a_browsers(part: str) -> None:
    read_browser("Mozilla/5.0")
    spent = []
    for number in range(5):
        started = time.thread_time()  # which does not move while others have the processor
        read_browser(f"{number} {part * 100_000}")
        spent.append(time.thread_time() - started)
    assert min(spent) < 0.1
