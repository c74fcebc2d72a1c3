"""The log of entries, which the database itself lets nobody change, and the evidence beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NEVER = "entries are never changed or removed: record an undo instead"
_GAPLESS = "entries are numbered without gaps"


def upgrade() -> None:
    """Make both tables, and the triggers that refuse UPDATE, DELETE and a number out of turn."""
    op.create_table(
        "entries",
        sa.Column("sequence_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("door", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("candidate_id", sa.Text),
        sa.Column("left_ref", sa.Text),
        sa.Column("right_ref", sa.Text),
        sa.Column("verdict", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("choices", sa.Text),
        sa.Column("evidence_hash", sa.Text),
        sa.Column("match_probability", sa.Float(53)),
        sa.Column("match_weight", sa.Float(53)),
        sa.Column("tier", sa.Text),
        sa.Column("model_version", sa.Text),
        sa.Column("score_was_hidden", sa.Boolean),
        sa.Column("seconds_spent", sa.Float(53)),
        sa.Column("undoes", sa.Integer, sa.ForeignKey("entries.sequence_number")),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.CheckConstraint("trim(who) <> ''", name="somebody_decides"),
        sa.CheckConstraint("kind in ('verdict', 'undo', 'signoff')", name="known_kind"),
        sa.CheckConstraint("verdict in ('same', 'different', 'unsure')", name="known_verdict"),
        sa.CheckConstraint("(kind = 'undo') = (undoes is not null)", name="an_undo_undoes"),
    )
    op.create_index("entries_of_candidate", "entries", ["candidate_id"])
    op.create_index("undone_once", "entries", ["undoes"], unique=True)
    op.create_table(
        "evidence",
        sa.Column("evidence_hash", sa.Text, primary_key=True),
        sa.Column("facts", sa.Text, nullable=False),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """A log of decisions is not thrown away by a migration."""
    raise NotImplementedError


_NEXT = "(select coalesce(max(sequence_number), 0) + 1 from entries)"
_SQLITE = (
    f"create trigger entries_not_updated before update on entries begin select raise(abort, '{_NEVER}'); end",
    f"create trigger entries_not_deleted before delete on entries begin select raise(abort, '{_NEVER}'); end",
    f"create trigger entries_gapless before insert on entries when new.sequence_number <> {_NEXT}"
    f" begin select raise(abort, '{_GAPLESS}'); end",
)
_POSTGRES = (
    f"create function entries_refuse() returns trigger language plpgsql as $$ begin raise exception '{_NEVER}'; end $$",
    f"create function entries_in_turn() returns trigger language plpgsql as"
    f" $$ begin if new.sequence_number <> {_NEXT} then raise exception '{_GAPLESS}'; end if; return new; end $$",
    "create trigger entries_not_changed before update or delete on entries"
    " for each row execute function entries_refuse()",
    "create trigger entries_not_truncated before truncate on entries"
    " for each statement execute function entries_refuse()",
    "create trigger entries_gapless before insert on entries for each row execute function entries_in_turn()",
)
