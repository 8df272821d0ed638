"""HubSpot's names of our kinds."""

from router.domain.delivery.entity import EntityKind

TYPES = {
    EntityKind.CONTACT: "contacts",
    EntityKind.COMPANY: "companies",
    EntityKind.DEAL: "deals",
    EntityKind.LEAD: "leads",
}
