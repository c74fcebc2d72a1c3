"""What a sign-off signs stands in its entry. Entries of before have none, and their hashes stay as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("entries", sa.Column("plan", sa.Text))


def downgrade() -> None:
    """A log of decisions is not thrown away by a migration."""
    raise NotImplementedError
