"""Names of headers that other parts of Ringtrace read."""

CLIENT_ADDRESS = "X-Ringtrace-Client"  # in answers: the address that the request seems to come from
