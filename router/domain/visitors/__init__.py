"""Visits, sources, leases and the numbers that a site offers."""
