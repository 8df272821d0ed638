"""What some CRMs can do besides, each in a narrow port: a CRM has it or not."""

from typing import Protocol, runtime_checkable

from router.domain.delivery.catalogue import Catalogue


@runtime_checkable
class HasCatalogue(Protocol):
    """A CRM that says which fields, users, pipelines and order methods it has."""

    async def catalogue(self, *, whole: bool = False) -> Catalogue:
        """The fields of the account, as of some minutes ago; whole: now, with pipelines, order
        methods and those of the users that the rules name.

        Raises `ReceiverUnavailable` and `Refused`.
        """
        ...
