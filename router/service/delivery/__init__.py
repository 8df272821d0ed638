"""Use cases of receivers: the outbox, dispatch and CRM updates."""
