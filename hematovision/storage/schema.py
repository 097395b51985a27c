"""The tables. A change here needs a migration in `migrations/versions/`."""

import sqlalchemy as sa

metadata = sa.MetaData()

questions = sa.Table(
    "questions",
    metadata,
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
    # Two tabs that ask for the next question at once get the same one.
    sa.UniqueConstraint("learner", "number", name="one_question_a_number"),
)
