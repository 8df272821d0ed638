"""The REST API: what programs may ask with a token, and what browsers on the company's sites may
ask without.
"""
