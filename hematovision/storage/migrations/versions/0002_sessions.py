"""Learners, sessions, and all that an answer says. Every answer of the first schema is kept.

What was practiced in one scope becomes one session, so that the learner goes on in it.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "learners",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64)),
        sa.Column("handle", sa.String(64)),
        sa.Column("exam_at", sa.DateTime),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("handle", name="one_learner_a_name"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("learner", sa.String(64), sa.ForeignKey("learners.id", name="session_of_a_learner"), nullable=False),
        sa.Column("token", sa.String(320), nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("touched_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.UniqueConstraint("learner", "token", name="one_session_a_token"),
    )
    with op.batch_alter_table("questions") as table:
        table.add_column(sa.Column("session_id", sa.Integer))
        table.add_column(sa.Column("topic", sa.String(65), nullable=False, server_default=""))
        table.add_column(sa.Column("certainty", sa.Integer))
        table.add_column(sa.Column("features", sa.JSON))
        table.add_column(sa.Column("region", sa.JSON))
        table.add_column(sa.Column("revised", sa.String(32)))
        table.add_column(sa.Column("dispute", sa.Text))
    _move_answers_into_sessions()
    with op.batch_alter_table("questions") as table:
        table.alter_column("session_id", existing_type=sa.Integer, nullable=False)
        table.drop_constraint("one_question_a_number", type_="unique")
        table.create_unique_constraint("one_question_a_number", ["session_id", "number"])
        table.create_foreign_key("question_of_a_session", "sessions", ["session_id"], ["id"])
        table.create_index("ix_questions_learner", ["learner"])
        table.drop_column("scope")


def _move_answers_into_sessions() -> None:
    connection = op.get_bind()
    connection.execute(
        sa.text("INSERT INTO learners (id, created_at) SELECT learner, MIN(asked_at) FROM questions GROUP BY learner")
    )
    runs = connection.execute(
        sa.text(
            "SELECT learner, scope, MIN(asked_at), MAX(COALESCE(answered_at, asked_at))"
            " FROM questions GROUP BY learner, scope"
        )
    ).all()
    for learner, scope, first, last in runs:
        plan = {"mode": "practice", "scope": scope, "choices": 9, "length": 0, "minutes": 0, "grading": "plain"}
        values = {
            "learner": learner,
            "token": f"practice/{scope}/9/plain",
            "plan": json.dumps(plan),
            "first": first,
            "last": last,
            "scope": scope,
        }
        connection.execute(
            sa.text(
                "INSERT INTO sessions (learner, token, plan, started_at, touched_at)"
                " VALUES (:learner, :token, :plan, :first, :last)"
            ),
            values,
        )
        connection.execute(
            sa.text(
                "UPDATE questions SET session_id ="
                " (SELECT id FROM sessions WHERE learner = :learner AND token = :token)"
                " WHERE learner = :learner AND scope = :scope"
            ),
            values,
        )
