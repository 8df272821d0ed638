"""The Asterisk adapter: manager interface, CEL log, trunks and configuration files."""
