"""The codes of what to do where a check fails, each with its English sentence: see `codes`."""

from router.domain.delivery.codes import N_, Code


class FixCode(Code):
    """What to do."""

    ADD_FIELD = (
        "fix_add_field",
        N_("run `ringtrace crm connect` again, or add a text field '%(field)s' to each %(kind)s"),
    )
    AS_ADMINISTRATOR = (
        "fix_as_administrator",
        N_(
            "run `ringtrace crm connect` with an administrator's token, or allow the app as an "
            "administrator"
        ),
    )
    OWN_USER = (
        "fix_own_user",
        N_(
            "%(own)s of the newest %(all)s were created by the user that Ringtrace logs in as; "
            "they are never matched to a call: give Ringtrace a user of its own"
        ),
    )
    BITRIX24_FIELD = (
        "fix_bitrix24_field",
        N_("no such field: Bitrix24 drops what is written into it without a word"),
    )
    BITRIX24_CRM = (
        "fix_bitrix24_crm",
        N_(
            "tick 'crm' among Ringtrace's rights in Bitrix24, and let its user read and change "
            "every %(kind)s"
        ),
    )
    BITRIX24_LEADS = (
        "fix_bitrix24_leads",
        N_(
            "this CRM works without leads: choose another scenario, or turn leads on in its "
            "settings"
        ),
    )
    BITRIX24_STATISTICS = (
        "fix_bitrix24_statistics",
        N_(
            "tick 'telephony' among Ringtrace's rights in Bitrix24, and let its user see the "
            "statistics of calls"
        ),
    )
    RETAILCRM_KEY = (
        "fix_retailcrm_key",
        N_("create an API key in the account's settings, under Integration, and give it here"),
    )
    RETAILCRM_SHOP = "fix_retailcrm_shop", N_("set the option 'site' to one of: %(sites)s")
    RETAILCRM_RIGHT = "fix_retailcrm_right", N_("give the API key the right %(right)s")
    HUBSPOT_SCOPE = (
        "fix_hubspot_scope",
        N_(
            "add it in HubSpot to the service key (Development → Keys → Service keys) or to the app"
        ),
    )
    HUBSPOT_UNIQUE = (
        "fix_hubspot_unique",
        N_(
            "delete the property %(field)s of %(objects)s, its values must be unique, and let "
            "this command create it"
        ),
    )
    HUBSPOT_FIELD = (
        "fix_hubspot_field",
        N_("let this command create it; that needs the scope crm.schemas.*.write"),
    )
    TRYTON_DATABASE = (
        "fix_tryton_database",
        N_("there is no database '%(database)s' here: correct the option 'database'"),
    )
    TRYTON_KEY = (
        "fix_tryton_key",
        N_(
            "create a user application 'REST API' in the preferences of the key's user, and have "
            "it validated"
        ),
    )
    TRYTON_COMPANY = (
        "fix_tryton_company",
        N_("there is no company with this number: correct the option 'company'"),
    )
    TRYTON_RIGHT = (
        "fix_tryton_right",
        N_(
            "activate the module of %(model)s, and put the key's user into a group that may "
            "%(rights)s it"
        ),
    )
    TRYTON_FIELD = (
        "fix_tryton_field",
        N_("add it to the model as a Char by a module, and let the key's user write it"),
    )
    GA4_ID = (
        "fix_ga4_id",
        N_("copy it from Admin, Data streams, the site's web stream; it looks like G-ABC123DEF4"),
    )
    GOOGLE_ACTION = (
        "fix_google_action",
        N_(
            "name a conversion action of the kind 'import': its number is in the address of its "
            "page"
        ),
    )
    METRICA_RIGHT = (
        "fix_metrica_right",
        N_(
            "give the token's user the right to edit the counter, and the token the right "
            "metrika:write; Metrica says: %(detail)s"
        ),
    )
    METRICA_GOAL = "fix_metrica_goal", N_("it can be created for you")
    VALUE = (
        "fix_value",
        N_("%(reason)s: change the field in the CRM, or map the fact to a text field"),
    )
    VALUES = (
        "fix_values",
        N_(
            "%(reason)s (and %(more)s more): change the field in the CRM, or map the fact to a "
            "text field"
        ),
    )
    CLIENT_ID_FIELD = (
        "fix_client_id_field",
        N_(
            "it cannot keep a client ID: use a text field of 64 characters or more that can be "
            "changed"
        ),
    )
    READ_ONLY = "fix_read_only", N_("the field is read-only: map the fact to another one")
    OPTIONS_ONLY = (
        "fix_options_only",
        N_("it accepts only its options (%(options)s); other values are left out"),
    )
    CUT = (
        "fix_cut",
        N_("it accepts %(most)s characters, calls have up to %(longest)s: the rest is cut"),
    )
    NO_FIELD = (
        "fix_no_field",
        N_("no such field: use an existing one, or remove the fact from the mapping"),
    )
    MISSING_IN = (
        "fix_missing_in",
        N_("missing in each %(kind)s: add it there; otherwise it is left out"),
    )
    NO_DEFAULT_FIELD = "fix_no_default_field", N_("there is no such field: correct `--default`")
    DEFAULT = "fix_default", N_("%(reason)s: correct `--default`")
    REQUIRED = (
        "fix_required",
        N_(
            "the CRM refuses every call without it: `ringtrace crm rules %(receiver)s --default "
            "%(field)s=TEXT`"
        ),
    )
    REQUIRED_OPTION = (
        "fix_required_option",
        N_(
            "the CRM refuses every call without it: `ringtrace crm rules %(receiver)s --default "
            "%(field)s=TEXT`, one of %(options)s"
        ),
    )
    USER_LEFT = "fix_user_left", N_("%(user)s has left: set another one with `--responsible`")
    NO_USER = "fix_no_user", N_("there is no such user: set another one with `--responsible`")
    TASK_USER = (
        "fix_task_user",
        N_("this user has left, or never was: name another one with `--task-user`"),
    )
    NO_PIPELINE = "fix_no_pipeline", N_("none: set the option to another pipeline: %(pipelines)s")
    PIPELINE_ARCHIVED = (
        "fix_pipeline_archived",
        N_("it is archived: restore it, or set the option to another pipeline: %(pipelines)s"),
    )
    NO_METHOD = "fix_no_method", N_("there is none: use another: %(methods)s")
    METHOD_OFF = (
        "fix_method_off",
        N_("it is switched off: switch it on, or use another: %(methods)s"),
    )
    NO_STAGE = "fix_no_stage", N_("it does not exist: use one of %(stages)s")
    OTHER_PIPELINE = (
        "fix_other_pipeline",
        N_("it is of the pipeline %(found)s, not of %(pipeline)s, which has %(stages)s"),
    )
    STAGES_PIPELINE_ARCHIVED = (
        "fix_stages_pipeline_archived",
        N_("its pipeline %(pipeline)s is archived: use another stage"),
    )
    STAGE_ARCHIVED = "fix_stage_archived", N_("it is archived: use another one")
