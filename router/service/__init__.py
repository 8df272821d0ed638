"""Use cases: async functions that use ports only."""
