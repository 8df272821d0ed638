"""The web adapter: REST API for programs and sites, and the supervisor's pages."""
