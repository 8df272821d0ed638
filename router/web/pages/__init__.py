"""The supervisor's pages, updated by htmx and server-sent events."""
