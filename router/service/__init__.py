"""Use cases: one verb each, async, speaking to ports alone."""
