"""Where on a page the script reads a number: digits in elements of their own, shadow roots, frames,
fields.
"""

import pytest

from tests.acceptance.script_visitor import HTMLS, Visitor
from tests.acceptance.script_world import Company

pytestmark = pytest.mark.acceptance
OWN, SHOWN = "8 (495) 123-45-67", "8 (495) 777-00-01"


def _each(text: str, tag: str = "span") -> str:
    return "".join(f"<{tag}>{letter}</{tag}>" for letter in text)


SPLIT = [
    ("+7 <span>495</span> <b>123-45-67</b>", "+7 <span>495</span> <b>777-00-01</b>"),
    (_each(OWN), _each(SHOWN)),
    (_each("+74951234567", "i"), _each("+74957770001", "i")),
    (
        f"<svg><text>{_each(OWN, 'tspan')}</text></svg>",
        f"<svg><text>{_each(SHOWN, 'tspan')}</text></svg>",
    ),
    ("<svg><text>8 495 1234567</text></svg>", "<svg><text>8 495 7770001</text></svg>"),
]


async def test_digits_in_elements_of_their_own_are_one_number(visitor: Visitor) -> None:
    rows = "".join(f'<p id="p{at}">{before}</p>' for at, (before, _) in enumerate(SPLIT))
    await visitor.opens(f"{rows}<u>84951234567</u>")
    await visitor.shows("84957770001", "u")
    after = [html for _, html in SPLIT]
    await visitor.gives(HTMLS, after, [f"#p{at}" for at in range(len(SPLIT))])


async def test_a_number_is_read_in_nested_shadow_roots_and_left_in_templates(
    visitor: Visitor,
) -> None:
    inner = f"<template shadowrootmode='open'><p>{_each(OWN)}</p></template>"
    await visitor.opens(
        f"<div id='a'><template shadowrootmode='open'><div id='b'>{inner}</div></template></div>"
        f"<template id='t'><p>{OWN}</p></template>"
    )
    text = "document.querySelector('#a').shadowRoot.querySelector('#b').shadowRoot.textContent"
    await visitor.until(f"{text} === '{SHOWN}'")
    assert await visitor.page.evaluate("document.querySelector('#t').content.textContent") == OWN


async def test_what_a_field_suggests_changes_and_what_is_typed_stays(visitor: Visitor) -> None:
    await visitor.opens(
        f"<input id='a' placeholder='{OWN}' value='{OWN}'><textarea id='b' "
        f"placeholder='{OWN}'>{OWN}</textarea>"
        f"<input id='c' placeholder='{OWN}' data-ringtrace-ignore><u>84951234567</u>"
    )
    await visitor.shows("84957770001", "u")
    suggested = "ids => ids.map(id => document.getElementById(id).placeholder)"
    await visitor.gives(suggested, [SHOWN, SHOWN, OWN], ["a", "b", "c"])
    assert [await visitor.page.input_value(f"#{id_}") for id_ in "ab"] == [OWN, OWN]


async def test_frames_of_the_same_origin_are_read_and_taps_there_are_sent(
    company: Company, visitor: Visitor
) -> None:
    company.page(f"<a href='tel:+74951234567'>{OWN}</a>", path="/frame", line="")
    company.page(f"<p>{OWN}</p>", path="/next", line="")
    line = "<script data-ringtrace>0</script>"
    await visitor.opens(
        f"<iframe id='a' src='/frame'></iframe><iframe id='b' srcdoc='<p>{OWN}</p>'></iframe>"
        f"<iframe id='c' srcdoc='{line}<p>{OWN}</p>'></iframe><iframe id='d' srcdoc='{OWN}' "
        "sandbox></iframe>"
        f"<iframe id='e' srcdoc='<p contenteditable>{OWN}</p>'></iframe>"
        "<div data-ringtrace-ignore><iframe id='f' "
        f"srcdoc='<p>{OWN}</p>'></iframe></div><p>{OWN}</p>"
    )
    said = "document.querySelector('#{}').contentDocument.body?.textContent.includes('{}')"
    for frame in "ab":
        await visitor.until(said.format(frame, SHOWN))
    for frame in "cef":
        await visitor.until(said.format(frame, OWN))

    await (
        visitor.page.frame_locator("#a")
        .locator("a")
        .evaluate("a => { a.addEventListener('click', e => e.preventDefault()); a.click(); }")
    )
    assert await visitor.heard("tap") == [{"number": "+74957770001"}]
    await visitor.page.evaluate("document.querySelector('#a').contentWindow.location = '/next'")
    await visitor.until(
        said.format("a", SHOWN)
        + " && !document.querySelector('#a').contentDocument.querySelector('a')"
    )
    for frame in "cef":
        assert await visitor.page.evaluate(said.format(frame, OWN))


BEGIN = """own => {
    for (const id of ["with", "without"]) {
        const frame = document.createElement("iframe");
        frame.id = id;
        document.body.append(frame);
        frame.contentDocument.open();
        frame.contentDocument.write(`<p>${own}</p>`);
    }
    document.body.insertAdjacentHTML("beforeend", `<u>${own}</u>`);
}"""
FINISH = """([id, rest]) => {
    const inside = document.querySelector("#" + id).contentDocument;
    inside.write(rest);
    inside.close();
}"""


async def test_a_frame_is_read_when_it_is_known_whether_it_has_a_line_of_its_own(
    visitor: Visitor,
) -> None:
    await visitor.opens(f"<p>{OWN}</p>")
    await visitor.shows(SHOWN, "p")
    await visitor.page.evaluate(BEGIN, OWN)
    await visitor.shows(SHOWN, "u")
    await visitor.page.evaluate(FINISH, ["with", "<script data-ringtrace>0</script>"])
    await visitor.page.evaluate(FINISH, ["without", "<p>Moscow</p>"])
    said = "document.querySelector('#{}').contentDocument.body.textContent.includes('{}')"
    await visitor.until(said.format("without", SHOWN))
    assert await visitor.page.evaluate(said.format("with", OWN))


DIGITS = "<div style='display:flex'>" + _each(OWN, "div") + "</div>"
MOST = (
    f"<p>{OWN}</p><p data-ringtrace-ignore>{OWN}</p><a href='https://wa.me/74951234567'>{OWN}</a>"
)


@pytest.mark.parametrize(
    ("stays", "told"),
    [
        ("", None),
        (DIGITS, "/"),
        (f"<input type=button value='{OWN}'>", "/"),
        (f"<i contenteditable>{OWN}</i>", None),
    ],
    ids=["all replaced", "digits in blocks", "a button's words", "editable"],
)
async def test_a_number_that_cannot_be_replaced_is_reported(
    company: Company, visitor: Visitor, stays: str, told: str | None
) -> None:
    company.alive_seconds = 2
    await visitor.opens(MOST + stays)
    await visitor.shows(SHOWN)
    alive = await visitor.heard("alive", 3)
    assert [message["unchanged"] for message in alive if "unchanged" in message] == (
        [told] if told else []
    )
