"""What is sent to receivers, and what came of it."""
