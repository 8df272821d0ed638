"""The supervisor's pages: log-in, the calls, one call. Rendered here, kept fresh by htmx and
server-sent events.
"""
