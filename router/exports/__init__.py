"""Files that calls are exported into: CSV, XLSX, and ZIP archives of recordings."""
