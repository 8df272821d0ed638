"""What the API answers and takes: models of its own, so that it stays as it is when the domain's
records change. Closed sets of words (verdicts, states, kinds) are the domain's.
"""
