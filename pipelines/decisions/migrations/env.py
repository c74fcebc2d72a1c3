"""What Alembic runs: the migrations of the decision store, within the transaction that the store has begun."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
