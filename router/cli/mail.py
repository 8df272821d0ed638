"""`ringtrace mail`: mailboxes whose messages are attributed like calls, and addresses of
channels.
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
from router.imap import ImapClient
from router.secrets import keep_mail_password, load_secrets
from router.service import mailboxes
from router.service.admin.setup import get_one, list_all

app = typer.Typer(help="Mailboxes whose messages are attributed like calls.", no_args_is_help=True)
channel = typer.Typer(help="Mail addresses of channels.", no_args_is_help=True)
app.add_typer(channel, name="channel")

SiteKey = Annotated[str, typer.Argument(metavar="SITE", help="The site's key.")]
AnySite = Annotated[str | None, typer.Option("--site", metavar="KEY", help="Filter by site.")]
Tag = Annotated[
    str, typer.Argument(metavar="TAG", help="The tag in the address: a-z, 0-9 and . _ -")
]


@app.command("connect")
def connect(
    site: SiteKey,
    host: Annotated[
        str, typer.Argument(metavar="HOST", help="The mail server, e.g. imap.example.com.")
    ],
    user: Annotated[str, typer.Option(help="User name of the mailbox; often the whole address.")],
    port: Annotated[int | None, typer.Option(help="993 for TLS, 143 otherwise.")] = None,
    security: Annotated[
        Security, typer.Option(help="`plain` is allowed for this machine only.")
    ] = Security.TLS,
    folder: Annotated[str, typer.Option(help="Folder to read, without subfolders.")] = "INBOX",
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Connect a site's mailbox; prompts for the password and stores it on this machine."""
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
        lambda store: mailboxes.connect_mailbox(store, ImapClient(), mailbox, password, keep),
        settings,
    )
    if as_json:
        print_json(plain(mailbox) | {"messages": count})
    else:
        say(
            f"The mailbox of {site} is connected; new messages are read from now on. Its "
            f"{count:,} present messages are not changed."
        )


@app.command("check")
def check(site: SiteKey, as_json: AsJson = False) -> None:
    """Test a site's mailbox and say what is wrong and how to fix it."""
    settings = read_settings()
    password = load_secrets(settings.home).mail_passwords.get(site)
    mailbox, count = with_store(
        lambda store: mailboxes.check_mailbox(store, ImapClient(), site, password), settings
    )
    if as_json:
        print_json(plain(mailbox) | {"messages": count})
        return
    say(
        f"Logged in at {mailbox.host} as {mailbox.user}; {mailbox.folder} contains {count:,} "
        "messages."
    )
    facts = {
        "read up to UID": mailbox.uid or None,
        "next poll": moment(mailbox.due_at),
        "last error": mailbox.error and str(mailbox.error),
    }
    print_facts(facts.items())


@app.command("disconnect")
def disconnect(site: SiteKey, as_json: AsJson = False) -> None:
    """Disconnect a site's mailbox and delete its password; recorded messages stay."""
    settings = read_settings()
    with_store(lambda store: mailboxes.disconnect_mailbox(store, site), settings)
    keep_mail_password(settings.home, site, None)
    if as_json:
        print_json({"removed": site})
    else:
        say(f"The mailbox of {site} was disconnected.")


@app.command("list")
def list_(
    site: AnySite = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, help="Number of messages, newest first.")
    ] = 50,
    as_json: AsJson = False,
) -> None:
    """List messages to tracked addresses, newest first."""
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
    print_table(tuple(Column(title=name) for name in names), rows, empty="No messages yet.")


@channel.command("add")
def add_channel(
    site: SiteKey,
    tag: Tag,
    name: Annotated[
        str, typer.Argument(metavar="CHANNEL", help="Name in reports, e.g. business cards.")
    ],
    as_json: AsJson = False,
) -> None:
    """Assign a mail address to a channel."""
    made = MailChannel(
        id=new_id(now()), site_id=site, tag=tag.lower(), channel=name.strip(), created_at=now()
    )
    with_store(lambda store: mailboxes.add_channel(store, made))
    if as_json:
        print_json(made)
        return
    address = tagged_address(with_store(lambda store: get_one(store, Site, site)).mail, made.tag)
    say(f"{address or f'The tag {made.tag}'} is now the address of {made.channel}.")


@channel.command("list")
def list_channels(site: AnySite = None, as_json: AsJson = False) -> None:
    """List the addresses of channels."""
    channels = with_store(lambda store: mailboxes.list_channels(store, site))
    if as_json:
        print_json(channels)
        return
    mails = {site.id: site.mail for site in with_store(lambda store: list_all(store, Site))}
    columns = tuple(Column(title=title) for title in ("site", "tag", "channel", "address"))
    rows = (
        (c.site_id, c.tag, c.channel, tagged_address(mails.get(c.site_id, ""), c.tag))
        for c in channels
    )
    print_table(
        columns,
        rows,
        empty="No channel has an address: `ringtrace mail channel add` adds one.",
    )


@channel.command("remove")
def remove_channel(site: SiteKey, tag: Tag, as_json: AsJson = False) -> None:
    """Remove the address of a channel."""
    with_store(lambda store: mailboxes.remove_channel(store, site, tag.lower()))
    if as_json:
        print_json({"removed": tag.lower()})
    else:
        say(f"The tag {tag.lower()} was removed.")
