"""The codes of what a check of a connection looks at, each with its English words: see `codes`."""

from router.domain.delivery.codes import N_, Code


class CheckCode(Code):
    """What is looked at."""

    ACCESS = "check_access", N_("access to %(system)s")
    FIELD = "check_field", N_("%(kind)s field %(field)s")
    FIELD_OF = "check_field_of", N_("%(objects)s: field %(field)s")
    RIGHT = "check_right", N_("right %(right)s")
    RIGHTS_OF = "check_rights_of", "%(objects)s: %(rights)s"
    SHOP = "check_shop", N_("shop")
    DATABASE = "check_database", N_("database")
    COMPANY = "check_company", N_("company %(company)s")
    LEADS = "check_leads", N_("leads")
    CALL_STATISTICS = "check_call_statistics", N_("the statistics of calls")
    OTHER_USERS = "check_other_users", N_("%(kind)s: created by other users")
    CATALOGUE = "check_catalogue", N_("the account's fields, users and pipelines")
    MAPPED = "check_mapped", N_("the field '%(field)s' for %(fact)s")
    MAPPED_IN = "check_mapped_in", N_("the field '%(field)s' for %(fact)s in each %(kind)s")
    DEFAULT = "check_default", N_("the default of '%(field)s'")
    REQUIRED = "check_required", N_("the required field %(field)s of each %(kind)s")
    RESPONSIBLE = "check_responsible", N_("the user %(user)s, responsible for %(destination)s")
    TASK_USER = "check_task_user", N_("the user %(user)s of tasks")
    PIPELINE = "check_pipeline", N_("the pipeline %(pipeline)s")
    STAGE = "check_stage", N_("the stage %(stage)s")
    METHOD = "check_method", N_("the order method %(method)s")
    REFRESH_TOKEN = "check_refresh_token", N_("the refresh token")
    CALL_CONVERSIONS = "check_call_conversions", N_("conversions of calls")
    SALE_CONVERSIONS = "check_sale_conversions", N_("conversions of sales")
    CONVERSION_ACTION = "check_conversion_action", N_("a conversion action")
    MEASUREMENT_ID = "check_measurement_id", N_("measurement ID '%(found)s'")
    GA4_EVENTS = (
        "check_ga4_events",
        N_(
            "a call and a sale pass Google's validation, which does not look at the secret: see "
            "whether the first call appears in GA4's Realtime report"
        ),
    )
    COUNTER = "check_counter", N_("the counter")
    UPLOADS = "check_uploads", N_("its list of %(uploads)s")
    GOAL = "check_goal", N_("the goal '%(goal)s' of %(event)s")
