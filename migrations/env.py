"""Alembic's entry. ``planner.db.migrate`` opens the connection and says how revisions are run."""

from alembic import context

from planner.db import migrate

migrate.configure(context, context.config.attributes["connection"])  # type: ignore[arg-type]  # a proxy of it
with context.begin_transaction():
    context.run_migrations()
