"""Alembic's way in. The connection is given by `voicebot.store.migrating`, inside its transaction."""

from alembic import context

from voicebot.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
