"""Ringtrace: self-hosted call tracking on Asterisk."""
