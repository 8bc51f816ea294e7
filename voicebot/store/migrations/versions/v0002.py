"""A contact knows for what time it asked for a call, not only that it did."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Keep the time in `asked`. SQLite's integers have room for it as they are."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("contacts", "asked", type_=sa.BigInteger(), existing_nullable=False)
    op.execute("UPDATE contacts SET asked = due WHERE asked = 1")
