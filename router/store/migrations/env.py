"""Alembic's entry: runs the migrations on the connection that `router.store.migrate` hands over."""

from alembic import context

from router.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
    user_module_prefix="tables.",
)
with context.begin_transaction():
    context.run_migrations()
