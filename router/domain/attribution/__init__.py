"""Which visitor made a call, and how probable that is."""
