"""The codes of why a mailbox cannot be read, each with its English sentence: see `codes`."""

from router.domain.delivery.codes import N_, Code


class MailCode(Code):
    """Why a mailbox cannot be read, and what to do."""

    MAIL_NO_PASSWORD = (
        "mail_no_password",
        N_(
            "there is no password for the mailbox of '%(site)s' on this machine: run `ringtrace "
            "mail connect` again"
        ),
    )
    MAIL_LOGIN_REFUSED = (
        "mail_login_refused",
        N_(
            "%(host)s refuses the login of '%(user)s' (%(detail)s): check the password; many "
            "providers require an app password, and IMAP access in their settings"
        ),
    )
    MAIL_CERTIFICATE = (
        "mail_certificate",
        N_("the certificate of %(where)s is not trusted: %(detail)s"),
    )
    MAIL_NO_TLS = (
        "mail_no_tls",
        N_(
            "%(where)s does not speak TLS (%(detail)s): try port 143 with STARTTLS, or ask the "
            "provider"
        ),
    )
    MAIL_NO_HOST = "mail_no_host", N_("there is no host '%(host)s': check its name")
    MAIL_NO_ANSWER = "mail_no_answer", N_("%(where)s does not answer")
    MAIL_TIMED_OUT = (
        "mail_timed_out",
        N_("%(host)s did not answer completely within %(seconds)s s"),
    )
    MAIL_NOT_LISTENING = (
        "mail_not_listening",
        N_("nothing listens at %(where)s: check the port (993 for TLS, 143 for STARTTLS)"),
    )
    MAIL_NO_FOLDER = "mail_no_folder", N_("the folder '%(folder)s' cannot be opened: %(detail)s")
    MAIL_FAILED = "mail_failed", "%(where)s: %(detail)s"
