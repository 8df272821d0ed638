"""`ringtrace mail`: mailboxes whose messages are attributed like calls, and addresses that stand
for channels.
"""

from typing import Annotated

import typer

from router.bootstrap import now
from router.cli.opening import read_settings, with_store
from router.cli.output import (
    AsJson,
    Column,
    moment,
    plain,
    print_facts,
    print_json,
    print_table,
    say,
)
from router.cli.password import FromStdin, read_password
from router.domain.ids import new_id
from router.domain.mail import Mailbox, MailChannel, Security, tagged_address
from router.domain.visitors.site import Site
from router.imap import ImapPost
from router.secrets import keep_mail_password, load_secrets
from router.service import mailboxes
from router.service.admin.setup import get_one, list_all

app = typer.Typer(help="Mailboxes whose messages are attributed like calls.", no_args_is_help=True)
channel = typer.Typer(help="Addresses that stand for a channel.", no_args_is_help=True)
app.add_typer(channel, name="channel")

SiteKey = Annotated[str, typer.Argument(metavar="SITE")]
AnySite = Annotated[str | None, typer.Option("--site", metavar="KEY", help="Of this site alone.")]
Tag = Annotated[
    str, typer.Argument(metavar="TAG", help="What stands in the address: a-z, 0-9 and . _ -")
]


@app.command("connect")
def connect(
    site: SiteKey,
    host: Annotated[
        str, typer.Argument(metavar="HOST", help="The mail server, e.g. imap.example.com.")
    ],
    user: Annotated[str, typer.Option(help="Whose mailbox it is; often the whole address.")],
    port: Annotated[int | None, typer.Option(help="993 for TLS, 143 otherwise.")] = None,
    security: Annotated[
        Security, typer.Option(help="`plain` is for this machine alone.")
    ] = Security.TLS,
    folder: Annotated[str, typer.Option(help="What is read; subfolders are not.")] = "INBOX",
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Read a site's mailbox from now on; the password is asked for, and kept on this machine."""
    settings, at = read_settings(), now()
    mailbox = Mailbox(
        site_id=site,
        host=host,
        port=port or (993 if security is Security.TLS else 143),
        security=security,
        user=user,
        folder=folder,
        # mail servers know seconds alone, and their clocks differ
        since=at.replace(second=0, microsecond=0),
        due_at=at,
    )
    password = read_password(from_stdin=password_stdin, what="the mailbox's password")

    def keep() -> None:
        keep_mail_password(settings.home, site, password)

    count = with_store(
        lambda store: mailboxes.connect_mailbox(store, ImapPost(), mailbox, password, keep),
        settings,
    )
    if as_json:
        print_json(plain(mailbox) | {"messages": count})
    else:
        say(
            f"The mailbox of {site} is read from now on; it holds {count:,} messages, which "
            "stay as they are."
        )


@app.command("check")
def check(site: SiteKey, as_json: AsJson = False) -> None:
    """Try a site's mailbox; what is wrong is said with how to mend it."""
    settings = read_settings()
    password = load_secrets(settings.home).mail_passwords.get(site)
    mailbox, count = with_store(
        lambda store: mailboxes.check_mailbox(store, ImapPost(), site, password), settings
    )
    if as_json:
        print_json(plain(mailbox) | {"messages": count})
        return
    say(f"{mailbox.host} lets {mailbox.user} in; {mailbox.folder} holds {count:,} messages.")
    facts = {
        "read up to UID": mailbox.uid or None,
        "next look": moment(mailbox.due_at),
        "last error": mailbox.error,
    }
    print_facts(facts.items())


@app.command("disconnect")
def disconnect(site: SiteKey, as_json: AsJson = False) -> None:
    """Read a site's mailbox no more and forget its password; what was learned stays."""
    settings = read_settings()
    with_store(lambda store: mailboxes.disconnect_mailbox(store, site), settings)
    keep_mail_password(settings.home, site, None)
    if as_json:
        print_json({"removed": site})
    else:
        say(f"The mailbox of {site} is read no more.")


@app.command("list")
def list_(
    site: AnySite = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Messages that came to addresses of ours, the newest first."""
    mails = with_store(lambda store: mailboxes.list_mails(store, site_id=site, limit=limit))
    if as_json:
        print_json(mails)
        return
    names = ("arrived", "site", "from", "to", "verdict", "channel", "visit", "automatic")
    rows = (
        (
            moment(m.arrived_at),
            m.site_id,
            m.sender,
            m.address,
            m.verdict,
            m.channel,
            m.visit_id,
            m.automatic,
        )
        for m in mails
    )
    print_table(tuple(Column(title=name) for name in names), rows, empty="No mail came yet.")


@channel.command("add")
def add_channel(
    site: SiteKey,
    tag: Tag,
    name: Annotated[
        str, typer.Argument(metavar="CHANNEL", help="As reports call it, e.g. business cards.")
    ],
    as_json: AsJson = False,
) -> None:
    """Let an address stand for a channel."""
    made = MailChannel(
        id=new_id(now()), site_id=site, tag=tag.lower(), channel=name.strip(), created_at=now()
    )
    with_store(lambda store: mailboxes.add_channel(store, made))
    if as_json:
        print_json(made)
        return
    address = tagged_address(with_store(lambda store: get_one(store, Site, site)).mail, made.tag)
    say(f"{address or f'The tag {made.tag}'} stands for {made.channel} now.")


@channel.command("list")
def list_channels(site: AnySite = None, as_json: AsJson = False) -> None:
    """Addresses that stand for channels."""
    channels = with_store(lambda store: mailboxes.list_channels(store, site))
    if as_json:
        print_json(channels)
        return
    mails = {one.id: one.mail for one in with_store(lambda store: list_all(store, Site))}
    columns = tuple(Column(title=title) for title in ("site", "tag", "channel", "address"))
    rows = (
        (c.site_id, c.tag, c.channel, tagged_address(mails.get(c.site_id, ""), c.tag))
        for c in channels
    )
    print_table(
        columns,
        rows,
        empty="No address stands for a channel: `ringtrace mail channel add` makes one.",
    )


@channel.command("remove")
def remove_channel(site: SiteKey, tag: Tag, as_json: AsJson = False) -> None:
    """Let an address stand for nothing again."""
    with_store(lambda store: mailboxes.remove_channel(store, site, tag.lower()))
    if as_json:
        print_json({"removed": tag.lower()})
    else:
        say(f"The tag {tag.lower()} stands for nothing any more.")
