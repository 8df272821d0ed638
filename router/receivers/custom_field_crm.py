"""Base of adapters whose CRM stores the client ID and the call's id in custom fields.

An account's fields are known by name. A deal or lead that a telephony created is found by its own
phone or by that of its contact.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any, ClassVar, Protocol, runtime_checkable

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Catalogue, Field, Named, Pipeline, Place
from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Mode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers import crm_tools as tools
from router.receivers.activities import Activities
from router.receivers.remembered import Remembered
from router.service.delivery.catalogue import kinds_of, users_named
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft


@runtime_checkable
class AddsFields(Protocol):
    """An adapter whose CRM lets us create fields."""

    async def add_field(self, kind: EntityKind, name: str) -> None:
        """Create a text field."""
        ...


class CustomFieldCrm(ABC):
    """Common code of these adapters; it reads `field` and `stage` of the connection's `options`."""

    system: ClassVar[str]  # the CRM's name in checks
    uid: ClassVar[str]  # the field of the call's id
    usual_field: ClassVar[str]  # the default name of the client ID's field
    usual_stage: ClassVar[str] = ""  # the default stage of new deals

    def __init__(self, connection: Connection, activities: Activities, *also: EntityKind) -> None:
        """`also`: further kinds that have our fields."""
        self._rules, self._own = connection.rules, connection.mode is Mode.OWN
        self.field = connection.options.get("field") or self.usual_field
        self.stage = connection.options.get("stage") or self.usual_stage
        self.scenario = SCENARIO_KINDS[self._rules.scenario]
        self.kinds = list(dict.fromkeys((*kinds_of(connection), *also)))
        self.activities = self.tasks = self.calls = activities
        self.catalogue = Remembered(self._read_catalogue)

    @abstractmethod
    async def fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        """The fields of a kind, by every name that a rule may use; read again on request."""

    @abstractmethod
    async def contacts(self, phone: str) -> list[Found]:
        """See `Crm`."""

    @abstractmethod
    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """See `Crm`."""

    @abstractmethod
    async def reach(self) -> None:
        """Test the access. Raises the error of an account that refuses the token or a right."""

    @abstractmethod
    async def users(self, ids: Sequence[str]) -> list[Named]:
        """Those of these users that exist."""

    @abstractmethod
    async def pipelines(self) -> list[Pipeline] | None:
        """The pipelines of deals with their stages; None if the token cannot read them."""

    def client_id_field(self, _kind: EntityKind) -> str:
        """The same name in every kind."""
        return self.field

    def stage_of(self, draft: Draft) -> str:
        """The stage of a new deal, where it must have one."""
        if draft.placed:
            return self.stage
        return self.usual_stage

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Everything with this phone; the time of creation decides."""
        if call.caller is None:
            return []
        people = await self.contacts(call.caller)
        return people + await self.deals([person.ref for person in people], call.caller)

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """Add a note, once per call."""
        await self.activities.note(ref, text, call_id)

    async def check(self) -> list[Check]:
        """Check access to the account, and that its fields exist."""
        try:
            await self.reach()
            checks = await tools.check_fields(self._names(), self.fields_of)
        except (ReceiverUnavailable, Refused) as error:
            return [Check.of(CheckCode.ACCESS, False, error.outcome, system=self.system)]
        return [Check.of(CheckCode.ACCESS, True, system=self.system), *checks]

    async def prepare(self) -> list[str]:
        """Create the text fields that are missing; without `AddsFields` an administrator does."""
        if not isinstance(self, AddsFields):
            return []
        return await tools.add_fields(self._names(), self.fields_of, self.add_field)

    def found(self, kind: EntityKind, row: Mapping[str, Any], **seen: Any) -> Found:
        """A row with its id and our two fields, as an entity; `seen`: other fields of `Found`."""
        return Found(
            ref=Ref(kind=kind, id=str(row["id"])),
            ours=bool(row.get(self.uid)),
            client_id=str(row.get(self.field) or "") or None,
            **seen,
        )

    def _names(self) -> list[tuple[EntityKind, str]]:
        """The names of the fields that we write."""
        names = [self.field, *self._rules.fields.values()]
        if self._own:
            names.insert(1, self.uid)
        return list(dict.fromkeys(product(self.kinds, names)))

    async def _read_catalogue(self, whole: bool) -> Catalogue:
        """Read the catalogue without the field of the call's ID: nothing else is written there."""
        fields = dict[EntityKind, Sequence[Field]]()
        for kind in self.kinds:
            known = dict[str, Field]()
            for field in (await self.fields_of(kind, whole)).values():
                if self.uid not in {field.name, field.title}:
                    known[field.name] = field
            fields[kind] = list(known.values())
        found = Catalogue(fields=fields)
        if not whole:
            return found

        if named := list(dict.fromkeys(users_named(self._rules))):
            found = replace(found, users=await tools.if_seen(self.users(named)))
        if EntityKind.DEAL in self.kinds:
            pipelines = await tools.if_seen(self.pipelines())
            found = replace(found, pipelines=pipelines, place=Place(stage=self.stage))
        return found
