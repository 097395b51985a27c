"""Published sets and who joined them; a session may be an attempt at one.

Nothing of what is stored changes. `sessions.code` is no foreign key: SQLite would have to make the table anew, which
questions point to.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "publications",
        sa.Column("code", sa.String(8), primary_key=True),
        sa.Column("set_id", sa.String(28), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("published_at", sa.DateTime, nullable=False),
        sa.Column("closed_at", sa.DateTime),
        sa.UniqueConstraint("set_id", "version", name="one_publication_a_version"),
    )
    op.create_table(
        "members",
        sa.Column("code", sa.String(8), sa.ForeignKey("publications.code", name="member_of_a_publication")),
        sa.Column("learner", sa.String(64), sa.ForeignKey("learners.id", name="member_is_a_learner")),
        sa.Column("joined_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("code", "learner"),
    )
    with op.batch_alter_table("sessions") as table:
        table.add_column(sa.Column("code", sa.String(8)))
        table.create_index("ix_sessions_code", ["code"])
