"""Rules and values of call tracking: pure and synchronous; time is always an argument."""
