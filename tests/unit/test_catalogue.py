"""Texts are fitted to the fields of a CRM, and what it would not take is named with its fix."""

import pytest

from router.domain.delivery.catalogue import (
    Catalogue,
    Field,
    FieldType,
    Named,
    Pipeline,
    Place,
)
from router.domain.delivery.connection import Mode, Rules, Scenario
from router.domain.delivery.entity import EntityKind
from router.service.delivery.catalogue import check_client_id, faults
from tests.support.crm_calls import call_event, connection

DEAL, CONTACT = EntityKind.DEAL, EntityKind.CONTACT
SOURCE = Field(
    name="12", title="Source", type=FieldType.LIST, options={"Google": "g", "Yandex": "y"}
)
SHORT = Field(name="short", most=4)
AMOUNT = Field(name="amount", type=FieldType.NUMBER)
LOCKED = Field(name="locked", writable=False)
ACCOUNT = Catalogue(
    fields={DEAL: [SOURCE, SHORT, AMOUNT, LOCKED], CONTACT: [SHORT]},
    users=[Named(id="17", title="Anna"), Named(id="18", title="Boris", active=False)],
    pipelines=[
        Pipeline(id="1", title="Main", stages=[Named(id="11")]),
        Pipeline(id="2", title="Old", stages=[Named(id="21")], archived=True),
        Pipeline(id="3", title="Other", stages=[Named(id="31")]),
    ],
    methods=[Named(id="phone"), Named(id="fax", active=False)],
)


@pytest.mark.parametrize(
    ("values", "taken", "refused"),
    [
        ({"Source": "google"}, {"Source": "g"}, set()),
        ({"12": "y"}, {"12": "y"}, set()),
        ({"12": "bing"}, {}, {"12"}),
        ({"short": "abcdef"}, {"short": "abcd"}, set()),
        ({"amount": "12.5"}, {"amount": "12.5"}, set()),
        ({"amount": "nan"}, {}, {"amount"}),
        ({"locked": "x"}, {}, {"locked"}),
        ({"nowhere": "x"}, {}, {"nowhere"}),
        ({"12": ""}, {"12": ""}, set()),
    ],
)
def test_a_text_is_cut_translated_or_refused_with_a_reason(
    values: dict[str, str], taken: dict[str, str], refused: set[str]
) -> None:
    fitted = ACCOUNT.fit(DEAL, values)
    assert fitted.values == taken
    assert fitted.refused.keys() == refused


def test_a_field_of_another_kind_is_left_out_without_a_word() -> None:
    fitted = ACCOUNT.fit(CONTACT, {"Source": "google", "short": "ab"})
    assert (fitted.values, fitted.refused) == ({"short": "ab"}, {})


def test_without_a_catalogue_texts_are_sent_as_they_are() -> None:
    assert Catalogue().fit(DEAL, {"any": "text"}).values == {"any": "text"}


def named(account: Catalogue, rules: Rules, mode: Mode = Mode.OWN) -> dict[str, str]:
    return {
        str(fault.what): str(fault.fix)
        for fault in faults(account, connection(rules=rules, mode=mode), [call_event()])
        if not fault.well
    }


def test_each_mapped_field_is_tried_with_the_facts_of_calls() -> None:
    fields = {"medium": "Source", "source": "short", "verdict": "amount", "number": "none"}
    ill = named(ACCOUNT, Rules(fields=fields))
    assert "'cpc' is not among its options: Google, Yandex" in ill.pop(
        "the field 'Source' for medium in each deal"
    )
    assert "missing in each contact" in ill.pop("the field 'Source' for medium")
    for kind in (CONTACT, DEAL):
        assert "calls have up to 6: the rest is cut" in ill.pop(
            f"the field 'short' for source in each {kind}"
        )
    assert "'exact' is not a number" in ill.pop("the field 'amount' for verdict in each deal")
    assert "missing in each contact" in ill.pop("the field 'amount' for verdict")
    assert "no such field" in ill.pop("the field 'none' for number")
    assert ill == {}


def test_a_list_without_calls_yet_says_what_it_takes() -> None:
    account = connection(rules=Rules(scenario=Scenario.DEAL, fields={"tags": "12"}))
    (fault,) = faults(ACCOUNT, account, [])
    assert "it accepts only its options (Google, Yandex)" in str(fault.fix)
    assert fault.optional


@pytest.mark.parametrize(
    ("field", "place", "rules", "missing"),
    [
        (Field(name="city", required=True), Place(), {}, True),
        (Field(name="city", required=True), Place(), {"defaults": {"city": "Moscow"}}, False),
        (Field(name="city", required=True), Place(), {"fields": {"page": "city"}}, False),
        (Field(name="city", required=True), Place(), {"fields": {"campaign": "city"}}, True),
        (Field(name="city", stages=frozenset({"11"})), Place(stage="11"), {}, True),
        (Field(name="city", stages=frozenset({"11"})), Place(stage="31"), {}, False),
    ],
)
def test_a_required_field_needs_a_value_that_is_always_known(
    field: Field, place: Place, rules: dict[str, dict[str, str]], missing: bool
) -> None:
    account = Catalogue(fields={DEAL: [field]}, place=place)
    ill = named(account, Rules(scenario=Scenario.DEAL, **rules))  # type: ignore[arg-type]
    assert bool(ill) is missing
    assert all("--default city=TEXT" in fix for fix in ill.values())
    assert named(account, Rules(**rules), Mode.TELEPHONY) == {}  # type: ignore[arg-type]


def test_a_default_that_the_field_does_not_take_is_a_fault() -> None:
    ill = named(ACCOUNT, Rules(scenario=Scenario.DEAL, defaults={"Source": "bing", "none": "x"}))
    assert set(ill) == {"the default of 'Source'", "the default of 'none'"}


def test_a_responsible_user_who_has_left_or_never_was_is_a_fault() -> None:
    ill = named(ACCOUNT, Rules(responsible={"office": "17", "shop": "18", "home": "99"}))
    assert ill == {
        "the user 18, responsible for shop": "Boris has left: set another one with `--responsible`",
        "the user 99, responsible for home": "there is no such user: set another one with "
        "`--responsible`",
    }


@pytest.mark.parametrize(
    ("place", "what", "words"),
    [
        (Place(pipeline="1", stage="11", method="phone"), "", ""),
        (Place(), "", ""),
        (Place(pipeline="2"), "the pipeline 2", "archived"),
        (Place(pipeline="9"), "the pipeline 9", "1 (Main), 3 (Other)"),
        (Place(pipeline="1", stage="31"), "the stage 31", "of the pipeline 3, not of 1"),
        (Place(stage="21"), "the stage 21", "archived"),
        (Place(stage="99"), "the stage 99", "it does not exist"),
        (Place(method="fax"), "the order method fax", "switched off"),
        (Place(method="mail"), "the order method mail", "there is none"),
    ],
)
def test_where_new_deals_go_is_checked(place: Place, what: str, words: str) -> None:
    account = Catalogue(pipelines=ACCOUNT.pipelines, methods=ACCOUNT.methods, place=place)
    ill = named(account, Rules())
    assert list(ill) == ([what] if what else [])
    assert all(words in fix for fix in ill.values())


@pytest.mark.parametrize(
    ("field", "well"),
    [
        (Field(name="cid"), True),
        (Field(name="cid", most=30), True),
        (Field(name="cid", most=16), False),
        (Field(name="cid", type=FieldType.NUMBER), False),
        (Field(name="cid", type=FieldType.LIST, options={"Google": "g"}), False),
        (Field(name="cid", type=FieldType.OTHER), False),
        (Field(name="cid", writable=False), False),
        (Field(name="another"), True),  # the adapter says that it is missing
    ],
)
def test_a_field_that_cannot_keep_a_client_id_is_a_fault(field: Field, well: bool) -> None:
    checks = list(check_client_id(Catalogue(fields={DEAL: [field]}), {DEAL: "cid"}))
    assert (checks == []) is well
    assert all("use a text field" in str(check.fix) for check in checks)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("окна и двери", "окна"),
        ("a🔥🔥🔥", "a🔥"),
        ("🔥🔥🔥", "🔥🔥"),
        ("a👨\u200d👩", "a👨"),
        ("ab c", "ab c"),
    ],
)
def test_a_long_text_is_cut_in_the_units_of_crms_and_never_within_an_emoji(
    text: str, left: str
) -> None:
    assert ACCOUNT.fit(CONTACT, {"short": text}).values == {"short": left}
