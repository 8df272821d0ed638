"""The softphone: makes and receives real SIP calls for the demo, the line check and the tests."""

import pyVoIP.VoIP  # noqa: F401  # its modules import each other in a circle: pyVoIP.SIP cannot come first
