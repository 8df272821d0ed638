"""The spellings of a number that the script on a page finds, tried on its own reading without a
browser.
"""

import json
import subprocess
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from router.domain.page_spelling import parts
from router.domain.phone import digits, display

pytestmark = pytest.mark.acceptance
FRONT_END = Path(__file__).parents[2] / "router/web/frontend"
DRIVER = """
import { rulesFor } from "./rules";
declare const process: any;
let given = "";
process.stdin.on("data", (some: string) => (given += some));
process.stdin.on("end", () => process.stdout.write(JSON.stringify(JSON.parse(given).map(read))));
function read({ own, said, number, display, form }: any): any {
  const pool = { id: "a", replaces: [own], selector: "", number: "", display: "", lease: "", former: [] as string[] };
  const rules = rulesFor([pool as any]);
  Object.assign(pool, { number, display });
  rules.renew();
  return rules.texts(said, form) || null;
}
"""  # noqa: E501
Asked = tuple[str, str, str]  # what the page says, whose number that is, the visitor's own


@lru_cache
def _program() -> str:
    """The script's reading of texts, as one program for Node."""
    source = FRONT_END / "src/site"
    bundling = [
        FRONT_END / "node_modules/.bin/esbuild",
        "--bundle",
        "--format=iife",
        "--loader=ts",
        "--sourcefile=a.ts",
    ]
    made = subprocess.run(
        bundling, input=DRIVER, cwd=source, check=True, capture_output=True, text=True
    )
    return made.stdout


def read(asked: list[Asked], form: str = "display") -> list[dict[str, Any] | None]:
    """What the script makes of each text."""
    given = [
        {
            "own": asdict(parts(own)),
            "said": said,
            "number": number,
            "display": display(number),
            "form": form,
        }
        for said, own, number in asked
    ]
    ran = subprocess.run(
        ["node", "-e", _program()],
        input=json.dumps(given),
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[dict[str, Any] | None] = json.loads(ran.stdout)
    return found


ARGENTINA, MEXICO, BRAZIL, UKRAINE = (
    "+5491123456789",
    "+525512345678",
    "+551123456789",
    "+380441234567",
)
GERMANY, RUSSIA, AMERICA = "+4930123456", "+74951234567", "+12015550123"
OTHERS = {
    ARGENTINA: "+5491177770001", MEXICO: "+525577770001", BRAZIL: "+551177770001", UKRAINE: "+380442345679",  # noqa: E501
    GERMANY: "+493077700011", RUSSIA: "+74957770001", AMERICA: "+12015550199",
}  # fmt: skip
SPELLINGS = [
    (ARGENTINA, "011 15-2345-6789", "+54 9 11 7777-0001"),
    (ARGENTINA, "Tel. (011) 15 2345-6789.", "Tel. +54 9 11 7777-0001."),
    (ARGENTINA, "+54 9 11 2345-6789", "+54 9 11 7777-0001"),
    (ARGENTINA, "+54 11 15-2345-6789", "+54 9 11 7777-0001"),
    (ARGENTINA, "(011) 2345-6789", "+54 9 11 7777-0001"),
    (MEXICO, "+5215512345678", "+52 55 7777 0001"),
    (MEXICO, "+52 1 55 1234 5678", "+52 55 7777 0001"),
    (MEXICO, "+52 (1) 55 1234 5678", "+52 55 7777 0001"),
    (MEXICO, "0052 1 55 1234 5678", "+52 55 7777 0001"),
    (MEXICO, "044 55 1234 5678", "+52 55 7777 0001"),
    (MEXICO, "01 (55) 1234-5678", "+52 55 7777 0001"),
    (MEXICO, "(044) 55 1234 5678", "+52 55 7777 0001"),
    (MEXICO, "55 1234 5678", "55 7777 0001"),
    (BRAZIL, "0 15 11 2345-6789", "+55 11 7777-0001"),
    (BRAZIL, "(0xx11) 2345-6789", "+55 11 7777-0001"),
    (BRAZIL, "0XX11 2345-6789", "+55 11 7777-0001"),
    (BRAZIL, "(0**11) 2345-6789", "+55 11 7777-0001"),
    (BRAZIL, "+55 (0xx11) 2345-6789", "+55 11 7777-0001"),
    (BRAZIL, "(011) 2345-6789", "(011) 7777-0001"),
    (UKRAINE, "8 (044) 123-45-67", "+380 44 234 5679"),
    (UKRAINE, "+38 (044) 123-45-67", "+38 (044) 234-56-79"),
    (GERMANY, "(030) 12 34 56", "+49 30 77700011"),
    (GERMANY, "+49 (0)30 123456", "+49 30 77700011"),
    (GERMANY, "+\x004\x009\x00 30 123456", "+49 30 77700011\0\0\0"),
    (GERMANY, "00 49 30 123456", "+49 30 77700011"),
    (RUSSIA, "+7 (8) 495 123-45-67", "+7 (8) 495 777-00-01"),
    (AMERICA, "1 (201) 555-0123", "1 (201) 555-0199"),
    (AMERICA, "1-201-555-0123", "1-201-555-0199"),
]  # fmt: skip
LEFT = [
    (MEXICO, "3044 55 1234 5678"), (MEXICO, "+1 55 1234 5678"), (BRAZIL, "10 15 11 2345-6789"),
    (ARGENTINA, "011 15-2345-67890"), (AMERICA, "0 201 555-01233"),
]  # fmt: skip


def test_what_is_dialled_before_a_number_is_read_and_replaced_with_it() -> None:
    found = read([(said, own, OTHERS[own]) for own, said, _ in SPELLINGS])
    shown = [number and number["shown"] for number in found]
    assert shown == [expected for _, _, expected in SPELLINGS]
    assert [number and number["own"] for number in found] == [said for _, said, _ in SPELLINGS]


def test_old_spellings_in_links_dial_the_whole_new_number() -> None:
    links = [
        ("tel:0445512345678", MEXICO),
        ("tel:+5215512345678", MEXICO),
        ("tel:(0xx11)23456789", BRAZIL),
    ]
    found = read([(said, own, OTHERS[own]) for said, own in links], "number")
    assert [number and number["shown"] for number in found] == [
        f"tel:{OTHERS[own]}" for _, own in links
    ]


def test_digits_that_are_part_of_another_number_stay() -> None:
    assert read([(said, own, OTHERS[own]) for own, said in LEFT]) == [None] * len(LEFT)


EXCEPTIONS: set[tuple[str, str]] = set()  # region and spelling; today every one is found


def _examples() -> list[tuple[str, PhoneNumber, str]]:
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        kinds = (
            phonenumbers.example_number_for_type(region, kind) for kind in PhoneNumberType.values()
        )
        for number in filter(None, kinds):
            for form in (
                PhoneNumberFormat.NATIONAL,
                PhoneNumberFormat.INTERNATIONAL,
                PhoneNumberFormat.E164,
            ):
                found.append((region, number, phonenumbers.format_number(number, form)))
    return found


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def test_numbers_of_every_region_are_found_as_they_are_written_there_and_abroad() -> None:
    examples = _examples()
    others = [
        _e164(number)[:-1] + str((int(_e164(number)[-1]) + 5) % 10) for _, number, _ in examples
    ]
    asked = [
        (f"Tel. {said}!", _e164(number), other)
        for (_, number, said), other in zip(examples, others, strict=True)
    ]
    lost = {
        (region, said): number and number["shown"]
        for (region, _, said), other, number in zip(examples, others, read(asked), strict=True)
        if number is None or not _is_number(number["shown"], region, other)
    }
    print(f"not found, of {len(examples)}: {sorted(lost)}")
    assert set(lost) == EXCEPTIONS, lost


def _is_number(shown: str, region: str, e164: str) -> bool:
    text = shown.removeprefix("Tel. ").removesuffix("!")
    try:
        return _e164(phonenumbers.parse(text, region)) == e164
    except phonenumbers.NumberParseException:
        return digits(text) == digits(e164)
