"""`ringtrace user`: people who log in to the pages."""

import secrets
from typing import Annotated, Any

import typer

from router.asterisk.trunks import Side, Trunks
from router.bootstrap import now
from router.cli.opening import with_store
from router.cli.output import AsJson, Column, moment, plain, print_json, print_table, say
from router.cli.password import FromStdin, read_password
from router.config import load_settings
from router.domain.access import PERSONAL, Person, Role, Scope
from router.errors import InvalidInput
from router.service.admin import access

app = typer.Typer(help="Users of the pages.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The name that the user logs in with.")]
Generate = Annotated[
    bool, typer.Option("--generate", help="Generate a password and print it once.")
]
Employee = Annotated[
    str | None,
    typer.Option(help="Who the user is in calls, as the column Employee says, e.g. PJSIP/anna."),
]
_HIDDEN = frozenset({"password_hash"})


def _password(from_stdin: bool, generate: bool) -> str:
    if from_stdin and generate:
        raise typer.BadParameter("--password-stdin and --generate cannot be combined")
    return secrets.token_urlsafe(12) if generate else read_password(
        from_stdin=from_stdin, what="the password", twice=True
    )  # fmt: skip


def _tell(sentence: str, facts: dict[str, Any], as_json: bool, password: str | None) -> None:
    """Print what was done, and a generated password."""
    if as_json:
        print_json(facts | ({"password": password} if password else {}))
        return
    say(sentence)
    if password:
        say(f"Password: {password}")


@app.command("add")
def add(
    login: Login,
    role: Annotated[Role, typer.Option(help="The user's role.")] = Role.SUPERVISOR,
    employee: Employee = None,
    password_stdin: FromStdin = False,
    generate: Generate = False,
    as_json: AsJson = False,
) -> None:
    """Add a user; prompts for the password."""
    password = _password(password_stdin, generate)
    person = with_store(
        lambda store: access.add_person(store, login, password, role, now(), employee=employee)
    )
    shown = None
    if generate:
        shown = password

    _tell(f"{login} can log in as {role}.", plain(person, without=_HIDDEN), as_json, shown)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all users."""
    people = with_store(access.list_people)
    if as_json:
        print_json(people, without=_HIDDEN)
        return
    titles = ("role", "employee", "since", "phone", "may")
    columns = (Column(title="login", whole=True), *(Column(title=title) for title in titles))
    print_table(
        columns,
        (_row(person) for person in people),
        empty="There are no users.",
    )


def _row(person: Person) -> tuple[str, ...]:
    since, scopes = moment(person.created_at), ", ".join(person.scopes)
    return person.login, person.role, person.employee or "", since, person.phone, scopes


@app.command("password")
def password(
    login: Login,
    password_stdin: FromStdin = False,
    generate: Generate = False,
    as_json: AsJson = False,
) -> None:
    """Change a user's password; prompts for it."""
    chosen = _password(password_stdin, generate)
    with_store(lambda store: access.set_password(store, login, chosen))
    _tell(f"{login} has a new password.", {"login": login}, as_json, chosen if generate else None)


@app.command("role")
def role(
    login: Login,
    role: Annotated[
        Role, typer.Argument(metavar="ROLE", help="supervisor, administrator or employee.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change a user's role; the last administrator cannot be demoted."""
    person: Person = with_store(lambda store: access.set_role(store, login, role))
    _tell(f"{login} is {role} now.", plain(person, without=_HIDDEN), as_json, None)


@app.command("employee")
def employee(
    login: Login,
    employee: Annotated[str, typer.Argument(metavar="EMPLOYEE", help="As calls name them.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say who a user is in calls: they see the scores of these calls; without EMPLOYEE, of none."""
    person: Person = with_store(lambda store: access.set_employee(store, login, employee))
    sentence = f"{login} sees the scores of {person.employee}." if person.employee else (
        f"{login} is no employee in calls now."
    )  # fmt: skip
    _tell(sentence, plain(person, without=_HIDDEN), as_json, None)


@app.command("phone")
def phone(
    login: Login,
    dial: Annotated[
        str,
        typer.Argument(
            metavar="PHONE",
            help="PJSIP/account, PJSIP/extension@line or Local/extension@context; '' for none.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Set the phone that rings first when the user calls a customer back."""
    refuse_carrier(dial)
    person: Person = with_store(lambda store: access.set_phone(store, login, dial))
    if dial:
        what = f"{login} calls back with {dial}."
    else:
        what = f"{login} has no phone."

    _tell(what, plain(person, without=_HIDDEN), as_json, None)


@app.command("allow")
def allow(
    login: Login,
    scopes: Annotated[
        list[Scope] | None,
        typer.Argument(metavar="SCOPES", help=f"{', '.join(PERSONAL)}; none takes all back."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set what the user may do beyond the role: call customers back, listen in on calls."""
    chosen = scopes or []
    person: Person = with_store(lambda store: access.set_scopes(store, login, chosen))
    what = ", ".join(person.scopes) or "nothing beyond the role"
    _tell(f"{login} may: {what}.", plain(person, without=_HIDDEN), as_json, None)


def refuse_carrier(dial: str) -> None:
    """Refuse a carrier as a phone: it would call the world."""
    name = dial.removeprefix("PJSIP/").rpartition("@")[2]
    if dial.startswith("PJSIP/"):
        trunks = Trunks(load_settings().ringtrace_etc).all()
    else:
        trunks = []

    if any(trunk.name == name and trunk.side is Side.CARRIER for trunk in trunks):
        raise InvalidInput(f"'{name}' is a carrier, not a phone of the company.")


@app.command("remove")
def remove(login: Login, as_json: AsJson = False) -> None:
    """Remove a user; the last administrator cannot be removed."""
    with_store(lambda store: access.remove_person(store, login))
    _tell(f"The user {login} was removed.", {"removed": login}, as_json, None)
