"""Optional abilities of CRMs, each a narrow port."""

from typing import Protocol, runtime_checkable

from router.domain.delivery.catalogue import Catalogue


@runtime_checkable
class HasCatalogue(Protocol):
    """A CRM that lists its fields, users, pipelines and order methods."""

    async def catalogue(self, *, whole: bool = False) -> Catalogue:
        """The fields of the account, cached for some minutes; `whole`: fresh, with pipelines, order
        methods and the users in the rules.

        Raises `ReceiverUnavailable` and `Refused`.
        """
        ...
