"""The systems that calls are sent to: CRMs, analytics and webhooks."""
