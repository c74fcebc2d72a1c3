"""Who was forgotten, which the database itself lets nobody change; it holds no personal data."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NEVER = "forgettings are never changed or removed"


def upgrade() -> None:
    """Make the table, and the triggers that refuse UPDATE and DELETE."""
    op.create_table(
        "forgettings",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("forgotten", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.CheckConstraint("trim(who) <> ''", name="somebody_asks"),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """Who was forgotten is not thrown away by a migration."""
    raise NotImplementedError


_SQLITE = (
    f"create trigger forgettings_not_updated before update on forgettings begin select raise(abort, '{_NEVER}'); end",
    f"create trigger forgettings_not_deleted before delete on forgettings begin select raise(abort, '{_NEVER}'); end",
)
_POSTGRES = (
    f"create function forgettings_refuse() returns trigger language plpgsql as"
    f" $$ begin raise exception '{_NEVER}'; end $$",
    "create trigger forgettings_not_changed before update or delete on forgettings"
    " for each row execute function forgettings_refuse()",
    "create trigger forgettings_not_truncated before truncate on forgettings"
    " for each statement execute function forgettings_refuse()",
)
