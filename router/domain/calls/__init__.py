"""Calls: their course, ending, transfers and route."""
