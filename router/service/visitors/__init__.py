"""Use cases of a visitor's page: visits, leases, displayed numbers."""
