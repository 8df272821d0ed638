"""The languages of texts that Ringtrace writes into other systems."""

from enum import StrEnum


class Language(StrEnum):
    """The language of a site, or of texts in a CRM."""

    ENGLISH = "en"
    RUSSIAN = "ru"
