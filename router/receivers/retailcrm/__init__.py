"""RetailCRM."""
