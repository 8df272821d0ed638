"""Deliveries to receivers and their results."""
