"""Receivers of what we learned: webhooks now; the analytics systems come beside them."""
