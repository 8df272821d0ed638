"""BottleCRM."""
