"""What templates say is text: no message of it becomes HTML, whatever it holds."""

import pytest
from babel.messages.pofile import read_po

from router.domain.delivery.receiver_kind import ReceiverKinds
from router.web.languages import FOLDER, LANGUAGES, Language
from router.web.rendering import environment_of

HOSTILE = "<img src=x onerror=alert(1)>"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;"


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
@pytest.mark.parametrize(
    ("template", "page"),
    [
        ("{{ _(text) }}", ESCAPED),
        ("{{ ngettext(text, text, 2) }}", ESCAPED),
        ('{{ _("%(count)s", count=text) }}', ESCAPED),
        ("{% trans %}{{ text }}{% endtrans %}", ESCAPED),
    ],
)
def test_a_message_is_escaped_whatever_is_said_and_put_in(
    language: Language, template: str, page: str
) -> None:
    made = environment_of(language, ReceiverKinds()).from_string(template).render(text=HOSTILE)
    assert made == page


def test_a_translation_is_shown_as_it_is_written() -> None:
    template = '{{ _("Log in") }} {{ _("Weight, %") }}'
    page = environment_of(LANGUAGES["ru"], ReceiverKinds()).from_string(template).render()
    assert page == "Войти Вес, %"


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
@pytest.mark.parametrize("name", ["50 %", "100 %% sure", "%(x)s", "%s", "% (", "", "%\ufffd"])
def test_a_name_that_looks_like_a_format_is_shown_as_it_is(language: Language, name: str) -> None:
    template = '{{ _(name) }}|{{ _("%(name)s", name=name) }}|{% trans %}{{ name }}{% endtrans %}'
    page = environment_of(language, ReceiverKinds()).from_string(template).render(name=name)
    assert page == f"{name}|{name}|{name}"


def test_messages_without_variables_have_no_doubled_percent_sign() -> None:
    for message in read_po((FOLDER / "ru.po").open("rb")):
        texts = message.id if isinstance(message.id, tuple) else (message.id,)
        for text in texts:
            assert "%%" not in text or "%(" in text
