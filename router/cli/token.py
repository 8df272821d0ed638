"""`ringtrace token`: bearer tokens of programs that use the API."""

from typing import Annotated

import typer

from router.bootstrap import now
from router.cli.opening import with_store
from router.cli.output import AsJson, Column, moment, note, plain, print_json, print_table, say
from router.domain.access import Scope
from router.service.admin import access

app = typer.Typer(help="API tokens.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the program that uses it.")],
    scope: Annotated[list[Scope], typer.Option(help="Permission; repeat.")],
    as_json: AsJson = False,
) -> None:
    """Create a token. Its secret is shown only once."""
    made = with_store(lambda store: access.create_token(store, name, scope, now()))
    if as_json:
        print_json({**plain(made.token, without={"digest"}), "secret": made.secret})
        return
    note(
        f"Token {made.token.id} for {name}: {', '.join(made.token.scopes)}. It is shown only once:"
    )
    say(made.secret)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all tokens, without secrets."""
    tokens = with_store(access.list_tokens)
    if as_json:
        print_json(tokens, without={"digest"})
        return
    columns = (
        Column(title="id", whole=True),
        Column(title="name"),
        Column(title="scopes"),
        Column(title="created"),
    )
    rows = ((t.id, t.name, ", ".join(t.scopes), moment(t.created_at)) for t in tokens)
    print_table(columns, rows, empty="There are no tokens: `ringtrace token create` creates one.")


@app.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="See `ringtrace token list`.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a token."""
    with_store(lambda store: access.revoke_token(store, token_id))
    if as_json:
        print_json({"revoked": token_id})
    else:
        say(f"The token {token_id} was revoked.")
