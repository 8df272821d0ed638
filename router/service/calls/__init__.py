"""Use cases of calls: ingest, attribution, recording, browsing."""
