"""Plays one whole call on real parts and shows each fact of it."""
