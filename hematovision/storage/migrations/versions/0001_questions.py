"""Questions and answers of practice."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "questions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("learner", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("picture_id", sa.String(64), nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("asked_at", sa.DateTime, nullable=False),
        sa.Column("choice", sa.String(32)),
        sa.Column("answered_at", sa.DateTime),
        sa.Column("model_version", sa.String(64)),
        sa.Column("model_label", sa.String(32)),
        sa.Column("model_probability", sa.Float),
        sa.UniqueConstraint("learner", "number", name="one_question_a_number"),
    )


def downgrade() -> None:
    op.drop_table("questions")
