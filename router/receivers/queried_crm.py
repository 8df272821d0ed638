"""Base of adapters whose CRM is searched by conditions, as in a query language."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from router.domain.delivery.catalogue import Named, Pipeline
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers import crm_tools as tools
from router.receivers.custom_field_crm import CustomFieldCrm

Row = Mapping[str, Any]
Condition = Any  # a condition in the CRM's query language


MOST_PHONES = 8  # fields that one search looks at: Zoho allows 25 conditions


class QueriedCrm(CustomFieldCrm):
    """Finds records by their own phones, by contact and company, and by the call's id."""

    titles: ClassVar[Mapping[EntityKind, str]]  # the field with the name of a record
    phones: ClassVar[tuple[str, ...]]
    created: ClassVar[str]
    stage_field: ClassVar[str] = ""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._phones = dict[EntityKind, Sequence[str]]()  # the usual ones, then all others

    @abstractmethod
    async def rows(
        self, kind: EntityKind, columns: Iterable[str], where: Condition
    ) -> Sequence[Row]:
        """The newest records: ids as `id`, and those of the columns that exist."""

    @abstractmethod
    def equal(self, column: str, text: str) -> Condition:
        """A condition: the column has this value."""

    @abstractmethod
    def with_ending(self, columns: Sequence[str], phone: str) -> Condition:
        """A condition: one of these columns ends with this number; it may match more."""

    @abstractmethod
    def owned_by(self, kind: EntityKind, owners: Sequence[Ref]) -> Iterator[Condition]:
        """Conditions for deals or leads of these contacts and companies."""

    @abstractmethod
    def is_open(self, row: Row) -> bool:
        """Whether a deal is open; a lead always is."""

    async def made_for(self, call_id: str) -> list[Ref]:
        """Finds them by our custom field, in the order of the scenario."""
        found = list[Ref]()
        for kind in self.scenario:
            ref = await self.made(kind, call_id)
            if ref is not None:
                found.append(ref)
        return found

    async def made(self, kind: EntityKind, call_id: str) -> Ref | None:
        """The record with this call's id."""
        if self.uid not in await self.fields_of(kind, False):
            return None
        rows = await self._rows(kind, self.equal(self.uid, call_id))
        if not rows:
            return None
        return Ref(kind=kind, id=str(rows[0]["id"]))

    async def contacts(self, phone: str) -> list[Found]:
        """Contacts and companies with this phone, in any spelling."""
        contacts = await self._by_phone(EntityKind.CONTACT, phone)
        return contacts + await self._by_phone(EntityKind.COMPANY, phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Deals, and leads if the rules want them: those of these contacts and companies, and
        those with this phone if they have a phone.
        """
        found = list[Found]()
        for kind in (EntityKind.DEAL, EntityKind.LEAD):
            if kind is EntityKind.LEAD and kind not in self.kinds:
                continue
            for where in self.owned_by(kind, contacts):
                found += [self._one(kind, row, phone) for row in await self._rows(kind, where)]
            found += await self._by_phone(kind, phone)
        return tools.unique(found)

    async def pipelines(self) -> list[Pipeline] | None:
        """The stages that deals can have; pipelines are not read."""
        field = (await self.fields_of(EntityKind.DEAL, True)).get(self.stage_field)
        if field is None or not field.options:
            return None
        stages = [Named(id=value, title=title) for title, value in field.options.items()]
        return [Pipeline(id="", stages=stages)]

    async def _by_phone(self, kind: EntityKind, phone: str) -> list[Found]:
        known = await self.fields_of(kind, False)
        columns = [name for name in self.phones if name in known]
        others = [field.name for field in known.values() if field.phone]
        self._phones[kind] = columns = list(dict.fromkeys((*columns, *others)))[:MOST_PHONES]
        if not columns:
            return []
        rows = await self._rows(kind, self.with_ending(columns, phone))
        return tools.with_phone([self._one(kind, row) for row in rows], phone)

    async def _rows(self, kind: EntityKind, where: Condition) -> Sequence[Row]:
        phones = self._phones.get(kind, self.phones)
        shown = (self.titles[kind], *phones, self.created, self.field, self.uid)
        return await self.rows(kind, shown, where)

    def _one(self, kind: EntityKind, row: Row, phone: str = "") -> Found:
        phones = [str(row[name]) for name in self._phones.get(kind, self.phones) if row.get(name)]
        if phone:
            phones = [phone]
        return self.found(
            kind,
            row,
            title=str(row.get(self.titles[kind]) or ""),
            phones=tuple(phones),
            created_at=tools.moment(row.get(self.created)),
            open=self.is_open(row),
        )
