"""The softphone: places and takes real SIP calls for the demo, the line check and the tests."""
