"""What the common tests need to see of an entity's timeline: each CRM's `…_world.py` says it of its
account, beside `CrmAccount`.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from router.domain.delivery.entity import Ref
from tests.integration.crm_accounts import CrmAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A task or a call, as the CRM shows it to its users."""

    subject: str
    text: str
    owner: str | None
    day: str  # when it is due, or came
    seconds: int | None = None  # of the talk, where the CRM has a place for it


class TimelineAccount(CrmAccount):
    """An account with users, stages, tasks and calls."""

    user = "27"
    user_who_left = "13"
    no_user = "99"
    refused_user = "13"  # of a task
    stage: ClassVar[str]  # of a pipeline of deals
    text_field: ClassVar[str]  # of deals
    longest: int | None = 255  # letters that it takes

    @abstractmethod
    def text(self, deal: Ref) -> str:
        """What is in the text field."""

    @abstractmethod
    def row(self, ref: Ref) -> dict[str, Any]:
        """All of it."""

    @abstractmethod
    def hide_users(self) -> None:
        """Our token may not see the users."""

    @abstractmethod
    def give(self, ref: Ref, user: str) -> None:
        """A person makes this user responsible for it."""

    @abstractmethod
    def responsible(self, ref: Ref) -> str | None:
        """Who is responsible."""

    @abstractmethod
    def tasks(self, ref: Ref) -> list[Shown]:
        """Open tasks of an entity."""

    @abstractmethod
    def calls(self, ref: Ref) -> list[Shown]:
        """Calls of an entity, with their recordings."""
