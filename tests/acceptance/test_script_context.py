"""What is one number to a reader is found however the page is made, and what is another thing is
left alone.
"""

import pytest

from tests.acceptance.script_visitor import HTMLS, TEXTS, Visitor
from tests.acceptance.script_world import Company, a_pool

pytestmark = pytest.mark.acceptance

FOUND = [
    ("<b>8 (495)</b>\n                <b>123-45-67</b>", "<b>8 (495)</b>\n                <b>777-00-01</b>"),  # noqa: E501
    ("8 (495)\n\t\t\t\t123-\n\t\t\t\t45-67", "8 (495)\n\t\t\t\t777-\n\t\t\t\t00-01"),
    ("8" + "\u00a0" * 7 + "495 1234567", "8" + "\u00a0" * 7 + "495 7770001"),
    ("\u200e+7\u200c495 • 123~45_67", "\u200e+7\u200c495 • 777~00_01"),
    ("8 495 123\uff0d45\uff0d67", "8 495 777\uff0d00\uff0d01"),
    ("8 (495) <custom-tag>123-45-67</custom-tag>", "8 (495) <custom-tag>777-00-01</custom-tag>"),
    ("тел.8(495)123-45-67,доб.12", "тел.8(495)777-00-01,доб.12"),
    ("8 495 000-00-00/8 495 123-45-67", "8 495 000-00-00/8 495 777-00-01"),
    ("8 495 123-45-67, 24 часа", "8 495 777-00-01, 24 часа"),
    ("с 9 до 18 (495) 123-45-67", "с 9 до 18 (495) 777-00-01"),
    ("84951234567x12", "84957770001x12"),
    ("8 <var>[495]</var> <strike>123</strike>|<output>45</output>|67", "8 <var>[495]</var> <strike>777</strike>|<output>00</output>|01"),  # noqa: E501
    ("٨ (٤٩٥) ١٢٣-٤٥-٦٧", "٨ (٤٩٥) ٧٧٧-٠٠-٠١"),
    ("۸ ۴۹۵ ۱۲۳۴۵۶۷", "۸ ۴۹۵ ۷۷۷۰۰۰۱"),
    ("<b>８（４９５）</b><u>１２３－４５－６７</u>", "<b>８（４９５）</b><u>７７７－００－０１</u>"),  # noqa: E501
]  # fmt: skip
LEFT = [
    "84951234567@mail.ru", "info-84951234567@mail.ru", "https://shop.example/84951234567", "wa.me/74951234567",  # noqa: E501
    "www.shop.example/a-84951234567", "8 (495) 123-45-67/68", "8 (495) 123-45-67, 68, 69", "8 (495) 123-45-67 (68, 69)",  # noqa: E501
    "8 (495) 123-45-67, -68", "Счёт 12 495 123 45 67", "0.4951234567", "4951234567.50", "84951234567_a",  # noqa: E501
    '<a href="https://wa.me/74951234567">8 495 123-45-67</a>', '<a href=" sms:+74951234567">8 495 123-45-67</a>',  # noqa: E501
    '<a href="viber://chat?number=%2B74951234567"><b>8 495 123-45-67</b></a>',
    '<a href="https://t.me/+74951234567">8 495 123-45-67</a>', '<a href="skype:+74951234567?call">+7 495 123-45-67</a>',  # noqa: E501
    '<a href="https://api.whatsapp.com/send?phone=74951234567" title="8 495 123-45-67">WhatsApp 8 495 123-45-67</a>',  # noqa: E501
    '<a href="mailto:a@b.ru?subject=8 495 123-45-67">8 495 123-45-67</a>',
    '<b data-phone="74951234567" class="whatsapp-button">x</b>',
    """<b onclick="open('https://wa.me/74951234567')">WhatsApp 8 495 123-45-67</b>""",
]  # fmt: skip


async def test_a_number_is_found_through_indents_marks_and_tags(visitor: Visitor) -> None:
    await visitor.opens(
        "".join(f'<p id="p{at}">{before}</p>' for at, (before, _) in enumerate(FOUND))
        + "<i>84951234567</i>"
    )
    await visitor.shows("84957770001", "i")
    after = [html.replace("\u00a0", "&nbsp;") for _, html in FOUND]
    await visitor.gives(HTMLS, after, [f"#p{at}" for at in range(len(FOUND))])


async def test_addresses_messengers_and_second_lines_are_left_alone(visitor: Visitor) -> None:
    await visitor.opens(
        "".join(f'<p id="p{at}">{said}</p>' for at, said in enumerate(LEFT)) + "<i>84951234567</i>"
    )
    await visitor.shows("84957770001", "i")
    assert [await visitor.page.inner_html(f"#p{at}") for at in range(len(LEFT))] == LEFT


ATTRIBUTES = [
    ('<a id="{}" href=" tel:+74951234567">x</a>', "href", "tel:+74957770001"),
    ('<a id="{}" href="tel:+7%28495%29123-45-67">x</a>', "href", "tel:+7(495)777-00-01"),
    (
        '<a id="{}" href="tel:+7%C2%A0495%C2%A01234567">x</a>',
        "href",
        "tel:+7\u00a0495\u00a07770001",
    ),
    ('<a id="{}" href="callto:84951234567">x</a>', "href", "callto:84957770001"),
    (
        '<svg><a id="{}" xlink:href="tel:84951234567"><text>x</text></a></svg>',
        "xlink:href",
        "tel:84957770001",
    ),
    (
        "<b id='{}' onclick=\"location.href='tel:84951234567'\">x</b>",
        "onclick",
        "location.href='tel:84957770001'",
    ),
    ('<b id="{}" data-href="tel:84951234567">x</b>', "data-href", "tel:84957770001"),
    ('<form id="{}" action="tel:84951234567"></form>', "action", "tel:84957770001"),
    (
        '<a id="{}" href="/" aria-label="Позвонить 8 495 123-45-67">x</a>',
        "aria-label",
        "Позвонить 8 495 777-00-01",
    ),
    ('<i id="{}" title="8 495 123-45-67">x</i>', "title", "8 495 777-00-01"),
    ('<i id="{}" data-clipboard-text="84951234567">x</i>', "data-clipboard-text", "84957770001"),
    ('<i id="{}" data-tooltip="8 495 123-45-67">x</i>', "data-tooltip", "8 495 777-00-01"),
    ('<i id="{}" data-phone="+74951234567">x</i>', "data-phone", "+74957770001"),
    ('<b id="{}" data-url="tel:84951234567">x</b>', "data-url", "tel:84957770001"),
    ('<a id="{}" href="facetime-audio:+74951234567">x</a>', "href", "facetime-audio:+74957770001"),
    ('<a id="{}" href="https://hotel:84951234567/">x</a>', "href", "https://hotel:84951234567/"),
]


async def test_whatever_dials_or_says_the_number_changes_with_it(visitor: Visitor) -> None:
    await visitor.opens(
        "".join(markup.format(f"a{at}") for at, (markup, _, _) in enumerate(ATTRIBUTES))
        + "<i>84951234567</i>"
    )
    await visitor.until(
        "document.querySelector('body > i:last-of-type').textContent === '84957770001'"
    )
    values = """names => names.map((name, at) =>
        document.querySelector(`#a${at}`).getAttribute(name).trim())"""
    after = [value for _, _, value in ATTRIBUTES]
    await visitor.gives(values, after, [name for _, name, _ in ATTRIBUTES])


@pytest.mark.parametrize(
    "markup",
    [
        "<b onclick=\"void 'tel:84951234567'\">☎ 84951234567</b>",
        "<b data-href='tel:84951234567'>84951234567</b>",
    ],
)
async def test_a_tap_on_whatever_dials_is_sent_once(
    company: Company, visitor: Visitor, markup: str
) -> None:
    await visitor.opens(f"<div onclick=\"void 'tel:84951234567'\">{markup}</div>")
    await visitor.shows("84957770001", "b")
    await visitor.page.click("b")
    await visitor.page.goto(company.page("<p>Другая страница</p>", path="/other", line=""))
    await visitor.heard("left")
    assert len(company.said("tap")) == 1


BELARUS = [
    "8 (017) 123-45-67",
    "8 017 123-45-67",
    "8-017-123-45-67",
    "(017) 123-45-67",
    "80171234567",
    "+375 (17) 123-45-67",
    "+375 (0)17 123-45-67",
    "375171234567",
]


async def test_numbers_of_belarus_are_found_as_people_write_them(
    company: Company, visitor: Visitor
) -> None:
    company.pools, company.numbers = (
        [a_pool(replaces=("+375171234567",))],
        {"visitors": "+375177770001"},
    )
    await visitor.opens(
        "".join(f'<p id="p{at}">{said}</p>' for at, said in enumerate(BELARUS))
        + "<i>80171234567</i>"
    )
    await visitor.shows("80177770001", "i")
    after = [
        said.replace("123", "777").replace("45-67", "00-01").replace("4567", "0001")
        for said in BELARUS
    ]
    await visitor.gives(TEXTS, after, [f"#p{at}" for at in range(len(BELARUS))])


async def test_a_page_that_draws_numbers_itself_asks_for_them(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens(
        "<canvas></canvas>",
        head="<script>window.drawn = []; addEventListener('ringtrace', () =>"
        "drawn.push(ringtrace.number('Звоните: 8 (495) 123-45-67!'), "
        "ringtrace.number('visitors')))</script>",
    )
    await visitor.until(
        "drawn.includes('Звоните: 8 (495) 777-00-01!') && drawn.includes('+7 495 777-00-01')"
    )
    assert await visitor.page.evaluate("drawn.slice(0, 2)") == ["Звоните: 8 (495) 123-45-67!", ""]
    assert await visitor.page.evaluate("ringtrace.number('8 812 000-00-00')") == "8 812 000-00-00"
    assert [body["pools"] for body in company.said("visits")] == [["visitors"]]


async def test_a_messenger_right_behind_a_number_to_call_keeps_its_own(visitor: Visitor) -> None:
    await visitor.opens(
        "<a href='tel:84951234567'>8 495 123-45-67</a>"
        "<a href='https://wa.me/74951234567'>8 495 123-45-67</a>"
    )
    await visitor.shows("8 495 777-00-01", "a")
    assert await visitor.text("a + a") == "8 495 123-45-67"


async def test_a_script_of_the_page_dials_the_number_that_is_shown(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens("<p>8 495 123-45-67</p><button>☎</button><i>☏</i>")
    await visitor.shows("777-00-01", "p")
    await visitor.page.evaluate(
        """() => { window.dialled = [];
          navigation.addEventListener("navigate", ({destination, defaultPrevented}) =>
            defaultPrevented || dialled.push(destination.url));
          const dial = () => location.href = "tel:+7%20495%201234567";
          document.querySelector("button").onclick = dial;
          document.querySelector("i").onclick = () => location.href = "tel:84950000000"; }"""
    )
    await visitor.page.click("button")
    assert await visitor.heard("tap") == [{"number": "+74957770001"}]
    await visitor.page.click("i")
    dialled = await visitor.page.evaluate("dialled.map(decodeURIComponent)")
    assert dialled == ["tel:+7 495 7770001", "tel:84950000000"]
    assert len(company.said("tap")) == 1
