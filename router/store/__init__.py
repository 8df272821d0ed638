"""The store: tables, migrations, and the ports of the use cases."""
