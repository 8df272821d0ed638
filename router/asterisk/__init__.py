"""The only room that knows panoramisk, the dialplan's words and the journal's columns."""
