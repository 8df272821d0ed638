"""Translates labels that readers type in their own language."""

from router.web.languages import LANGUAGES
from router.web.words import TAGS


def tag_named(text: str) -> str:
    """The name of the tag with this label in any language."""
    for name, label in TAGS.items():
        labels = {language.messages.gettext(label).casefold() for language in LANGUAGES.values()}
        if text.casefold() in labels:
            return name
    return text.casefold()
