"""The modules of the Zoho CRM of the tests, with the fields that matter, and its users."""

LONGEST = 255  # letters of a text field
USERS, STAGES = {"1": True, "27": True, "13": False}, ("Qualification", "Closed Won")
_ACTIVITY = {
    "Who_Id": "lookup", "What_Id": "lookup", "Owner": "ownerlookup", "Description": "textarea",
    "Created_Time": "datetime",
}  # fmt: skip
FIELDS: dict[str, dict[str, str]] = {
    "Contacts": {
        "Last_Name": "text", "Phone": "phone", "Mobile": "phone", "Account_Name": "lookup",
        "Other_Phone": "phone", "Fax": "phone",
        "Owner": "ownerlookup", "Description": "textarea", "Created_Time": "datetime",
    },
    "Accounts": {
        "Account_Name": "text", "Phone": "phone", "Owner": "ownerlookup",
        "Description": "textarea", "Created_Time": "datetime",
    },
    "Leads": {
        "Last_Name": "text", "Company": "text", "Phone": "phone", "Mobile": "phone",
        "Owner": "ownerlookup", "Description": "textarea", "Created_Time": "datetime",
    },
    "Deals": {
        "Deal_Name": "text", "Stage": "picklist", "Contact_Name": "lookup",
        "Account_Name": "lookup", "Owner": "ownerlookup", "Description": "textarea",
        "Created_Time": "datetime",
    },
    "Tasks": {
        "Subject": "text", "Due_Date": "date", "Status": "picklist", **_ACTIVITY,
    },
    "Calls": {
        "Subject": "text", "Call_Type": "picklist", "Call_Start_Time": "datetime",
        "Call_Duration": "text", **_ACTIVITY,
    },
}  # fmt: skip
MANDATORY = {
    "Contacts": ("Last_Name",),
    "Accounts": ("Account_Name",),
    "Leads": ("Last_Name", "Company"),
    "Deals": ("Deal_Name", "Stage"),
    "Tasks": ("Subject",),
    "Calls": ("Subject", "Call_Type", "Call_Start_Time", "Call_Duration"),
}
LOOKUPS = {"Contact_Name": "Contacts", "Account_Name": "Accounts", "Who_Id": "Contacts"}
FORMATS = {
    "Due_Date": r"\d{4}-\d\d-\d\d",
    "Call_Start_Time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
    "Call_Duration": r"\d+:[0-5]\d",
}
