"""Names of headers that another part of Ringtrace reads."""

CLIENT_ADDRESS = (
    "X-Ringtrace-Client"  # of an answer: the address that the request seems to come from
)
