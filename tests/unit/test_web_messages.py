"""What templates say is text: no message of it becomes HTML, whatever it holds."""

import pytest

from router.domain.delivery.receiver_kind import ReceiverKinds
from router.web.languages import LANGUAGES, Language
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
    template = '{{ _("Log in") }} {{ _("Weight, %%") }}'
    page = environment_of(LANGUAGES["ru"], ReceiverKinds()).from_string(template).render()
    assert page == "Войти Вес, %"
