"""The codes of outcomes of CRMs, each with the English sentence that says it: see `codes`."""

from router.domain.delivery.codes import N_, Code


class CrmCode(Code):
    """What became of the entities of a call in any CRM."""

    CREATED = "created", N_("created %(entities)s")
    CREATED_BEFORE = "created_before", N_("%(entities)s: by an earlier attempt")
    NOTE_ADDED = "note_added", N_("a note on %(entity)s")
    CLIENT_ID_WRITTEN = "client_id_written", N_("%(entity)s has the client ID in %(field)s")
    CLIENT_ID_THERE = (
        "client_id_there",
        N_("%(entity)s has the client ID already, from an earlier call"),
    )
    CLIENT_ID_UNKNOWN = "client_id_unknown", N_("%(entity)s: no client ID is known")
    CLIENT_ID_DIFFERS = (
        "client_id_differs",
        N_("%(entity)s keeps %(found)s, which Ringtrace did not write"),
    )
    CLIENT_ID_NOT_KEPT = (
        "client_id_not_kept",
        N_("%(entity)s did not save the client ID: is '%(field)s' a separate field, and writable?"),
    )
    CLIENT_ID_CHANGED = (
        "client_id_changed",
        N_(
            "%(entity)s saved the client ID as '%(found)s': make '%(field)s' a text field of 64 "
            "characters or more"
        ),
    )
    CLIENT_ID_FIELD_REFUSES = (
        "client_id_field_refuses",
        N_("'%(field)s' of each %(kind)s does not take the client ID: %(reason)s"),
    )
    CLIENT_ID_IN_NOTE = (
        "client_id_in_note",
        N_("%(entity)s has the client ID in its text: '%(field)s' does not take it: %(reason)s"),
    )
    CLIENT_ID_IN_OTHER = (
        "client_id_in_other",
        N_("%(entity)s has the client ID in %(other)s: '%(field)s' does not take it: %(reason)s"),
    )
    CLIENT_ID_NOT_EMPTIED = (
        "client_id_not_emptied",
        N_(
            "%(entity)s: the client ID in '%(field)s' could not be removed: clear the field by hand"
        ),
    )
    FIELD_LEFT_OUT = "field_left_out", N_("%(entity)s without %(field)s: %(reason)s")
    FIELD_MISSING = (
        "field_missing",
        N_(
            "%(path)s have no field '%(field)s': run `ringtrace crm connect`, which adds what is "
            "missing"
        ),
    )
    FIELD_NOT_KEPT = (
        "field_not_kept",
        N_("%(system)s accepted %(fields)s of %(entity)s but did not save it: is it read-only?"),
    )
    NO_SUCH_FIELD = "no_such_field", N_("there is no such field")
    FIELD_READ_ONLY = "field_read_only", N_("the field is read-only")
    NOT_AN_OPTION = "not_an_option", N_("'%(found)s' is not among its options: %(options)s")
    VALUE_NOT_A_NUMBER = "value_not_a_number", N_("'%(found)s' is not a number")
    ENTITY_GONE = "entity_gone", N_("%(entity)s is gone from the CRM")
    CHOICE_REFUSED = (
        "choice_refused",
        N_("%(entity)s was chosen, but the CRM refused it: %(reason)s"),
    )
    CALLER_IGNORED = (
        "caller_ignored",
        N_("nothing: the caller is one of the numbers that the rules ignore"),
    )
    CALL_TOO_SHORT = "call_too_short", N_("nothing: talked for %(seconds)s s only, spam by rule")
    MISSED_CALL_SKIPPED = (
        "missed_call_skipped",
        N_(
            "nothing: the call was not answered, and the rules skip missed calls of unknown callers"
        ),
    )
    NO_VISITOR = (
        "no_visitor",
        N_("nothing: the visitor is not known, so there is no client ID to write"),
    )
    NOT_CREATED_YET = "not_created_yet", N_("the telephony has created nothing for this call yet")
    SEVERAL_ENTITIES = "several_entities", N_("several CRM records match equally well")
    NO_ENTITY = "no_entity", N_("no CRM record appeared within %(seconds)s s")
    ONLY_OUR_ENTITY = (
        "only_our_entity",
        N_(
            "no CRM record appeared within %(seconds)s s except %(entity)s, which Ringtrace's"
            " own user created: create a separate CRM user for Ringtrace"
        ),
    )
    TASK_ADDED = "task_added", N_("a task on %(entity)s")
    TASK_ADDED_FOR = "task_added_for", N_("a task on %(entity)s for the user %(user)s")
    NO_TASK = "no_task", N_("no task: %(reason)s")
    NO_TASKS = "no_tasks", N_("this CRM has no tasks")
    TASK_NEEDS_USER = (
        "task_needs_user",
        N_("a task needs a user: name one with `ringtrace crm rules --task-user`"),
    )
    RECORDING_LISTED = "recording_listed", N_("the recording is in the CRM's list of calls")
    CALL_LISTED = (
        "call_listed",
        N_("the call is in the CRM's list of calls, without a recording"),
    )
    RECORDING_GONE = "recording_gone", N_("nothing: the recording is gone")
    CALL_NOT_LISTED = "call_not_listed", N_("nothing: the call is not in the CRM")
    CALL_NOT_LISTED_YET = "call_not_listed_yet", N_("the call itself is not in the CRM yet")
    NO_CALL_LIST = "no_call_list", N_("this CRM has no list of calls")
    CALL_WITHOUT_PHONE = (
        "call_without_phone",
        N_("nothing: the CRM's list of calls needs a phone number, and this call has none"),
    )
    ACCOUNT_NOT_PAID = (
        "account_not_paid",
        N_("the account is not paid for: %(system)s accepts nothing until it is"),
    )


class AmoCrmCode(Code):
    """What amoCRM alone says."""

    AMOCRM_FORBIDDEN = (
        "amocrm_forbidden",
        N_(
            "403 at %(path)s: either the token's user lacks this right, or amoCRM has blocked"
            " this server's address because of too many requests; check the user's rights, "
            "then write to amoCRM's support"
        ),
    )


class Bitrix24Code(Code):
    """What to do where Bitrix24 refuses."""

    BITRIX24_WEBHOOK_UNREADABLE = (
        "bitrix24_webhook_unreadable",
        N_(
            "the webhook of Bitrix24 cannot be read: its token is USER/CODE, the end of an "
            "incoming webhook's address: run `ringtrace crm connect`"
        ),
    )
    BITRIX24_GIVE_RIGHT = (
        "bitrix24_give_right",
        N_("give the user that Ringtrace logs in as the right to it"),
    )
    BITRIX24_NEEDS_PLAN = (
        "bitrix24_needs_plan",
        N_(
            "give the user that Ringtrace logs in as the right to it; the REST API needs a "
            "commercial plan, too"
        ),
    )
    BITRIX24_NEEDS_EMPLOYEE = (
        "bitrix24_needs_employee",
        N_("the user that Ringtrace logs in as has to be an employee"),
    )
    BITRIX24_NEW_WEBHOOK = (
        "bitrix24_new_webhook",
        N_("create a new incoming webhook and give it to `ringtrace crm connect`"),
    )
    BITRIX24_CONNECT_APP = (
        "bitrix24_connect_app",
        N_("allow the app again: run `ringtrace crm connect --app`"),
    )
    BITRIX24_APP_SCOPE = (
        "bitrix24_app_scope",
        N_("tick 'crm' and 'telephony' among the rights of the app"),
    )
    BITRIX24_NO_USER = (
        "bitrix24_no_user",
        N_(
            "the webhook was deleted or its user has left: create a new incoming webhook and "
            "give it to `ringtrace crm connect`"
        ),
    )
    BITRIX24_NEEDS_SCOPE = (
        "bitrix24_needs_scope",
        N_("tick 'crm' and 'telephony' among the rights of the incoming webhook"),
    )
    BITRIX24_BLOCKED = (
        "bitrix24_blocked",
        N_("the portal's REST API was blocked by hand: ask Bitrix24's support"),
    )
    BITRIX24_NOT_PAID = "bitrix24_not_paid", N_("the portal's plan is not paid for")
    BITRIX24_CLOSED = "bitrix24_closed", N_("the portal is closed: ask Bitrix24's support")
    BITRIX24_GIVE_ACCESS = (
        "bitrix24_give_access",
        N_("give the user that Ringtrace logs in as access to the application"),
    )
    BITRIX24_WRONG_LOGIN = (
        "bitrix24_wrong_login",
        N_("an incoming webhook may not make this request"),
    )

    BITRIX24_APPS_ALONE = (
        "bitrix24_apps_alone",
        N_(
            "on this portal only applications may add calls, not webhooks: turn recordings "
            "off with `ringtrace crm rules --no-recordings`"
        ),
    )
    BITRIX24_OTHER_FORMAT = (
        "bitrix24_other_format",
        N_("Bitrix24 accepts recordings only as MP3 and WAV: set RINGTRACE_RECORDING_FORMAT=mp3"),
    )


class HubspotCode(Code):
    """What HubSpot alone says, and what to do."""

    HUBSPOT_KEY_REFUSED = (
        "hubspot_key_refused",
        N_(
            "HubSpot refuses the token: %(detail)s; copy the service key (Development → Keys → "
            "Service keys) or the app's access token again, and give it to `ringtrace crm connect`"
        ),
    )
    HUBSPOT_SCOPE_MISSING = (
        "hubspot_scope_missing",
        N_(
            "the key or app lacks the scope %(scope)s: add it in HubSpot to the service key "
            "(Development → Keys → Service keys) or to the app"
        ),
    )
    HUBSPOT_MOVES = "hubspot_moves", N_("HubSpot is moving this account: %(detail)s")
    HUBSPOT_PARTLY = "hubspot_partly", N_("HubSpot did only a part of the request: %(detail)s")
    HUBSPOT_NO_ASSOCIATION = (
        "hubspot_no_association",
        N_("HubSpot does not allow %(objects)s to be associated with %(to)s"),
    )
    HUBSPOT_CONNECT = "hubspot_connect", N_("`ringtrace crm connect` creates missing properties")


class RetailCrmCode(Code):
    """What RetailCRM alone says, and what to do."""

    RETAILCRM_KEY_REFUSED = (
        "retailcrm_key_refused",
        N_(
            "RetailCRM refuses the API key (%(detail)s): create an API key with the necessary"
            " rights and shop, and run `ringtrace crm connect` with it"
        ),
    )
    RETAILCRM_LONG_HISTORY = (
        "retailcrm_long_history",
        N_("the history of %(path)s has over %(count)s changes in this call's time"),
    )
    RETAILCRM_OTHER_SHOP = (
        "retailcrm_other_shop",
        N_("RetailCRM returned it in '%(field)s': does the record belong to the shop '%(shop)s'?"),
    )
    RETAILCRM_NO_ANALYTICS = (
        "retailcrm_no_analytics",
        N_(
            "'%(field)s' is filled, but RetailCRM's analytics did not accept the client ID: "
            "%(reason)s"
        ),
    )
    RETAILCRM_NO_TELEPHONY = (
        "retailcrm_no_telephony",
        N_(
            "RetailCRM's telephony did not accept the call: %(reason)s (option 'calls' turns "
            "this off)"
        ),
    )


class OdooCode(Code):
    """What Odoo alone says, and what to do."""

    ODOO_KEY_REFUSED = (
        "odoo_key_refused",
        N_("the API key is refused: does it belong to the user of the option 'login'?"),
    )
    ODOO_NO_RIGHT = "odoo_no_right", N_("the API key lacks a right: %(detail)s")
    ODOO_HIDDEN = "odoo_hidden", N_("Odoo does not show the model %(model)s to this user")


class TrytonCode(Code):
    """What Tryton alone says."""

    TRYTON_UNREADABLE = (
        "tryton_unreadable",
        N_(
            "Tryton created a %(kind)s that Ringtrace's user may not read: give the right to "
            "read %(model)s"
        ),
    )
