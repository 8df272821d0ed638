"""Use cases of the administrator: set-up, access and retention."""
