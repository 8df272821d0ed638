"""The only room that knows SQLAlchemy: tables, migrations, and the store that the use cases speak
to.
"""
