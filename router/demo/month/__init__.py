"""Fills the demo with an invented month of a company: visits, calls, recordings and what
supervisors do with them. Everything goes the way that real visitors and calls go.
"""
