"""The tables. A change here needs a migration in `migrations/versions/`."""

import sqlalchemy as sa

metadata = sa.MetaData()

learners = sa.Table(
    "learners",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64)),
    # The name without regard to case: two people of one machine cannot be told apart by it.
    sa.Column("handle", sa.String(64)),
    sa.Column("exam_at", sa.DateTime),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.UniqueConstraint("handle", name="one_learner_a_name"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("learner", sa.String(64), sa.ForeignKey("learners.id", name="session_of_a_learner"), nullable=False),
    sa.Column("token", sa.String(320), nullable=False),
    sa.Column("plan", sa.JSON, nullable=False),
    sa.Column("started_at", sa.DateTime, nullable=False),
    sa.Column("touched_at", sa.DateTime, nullable=False),
    sa.Column("ended_at", sa.DateTime),
    # Of an attempt at a published set.
    sa.Column("code", sa.String(8), index=True),
    # A double click on Start begins one session.
    sa.UniqueConstraint("learner", "token", name="one_session_a_token"),
)

questions = sa.Table(
    "questions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("learner", sa.String(64), nullable=False, index=True),
    sa.Column("session_id", sa.Integer, sa.ForeignKey("sessions.id", name="question_of_a_session"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("picture_id", sa.String(64), nullable=False),
    sa.Column("key", sa.String(32), nullable=False),
    sa.Column("choices", sa.JSON, nullable=False),
    # The class or pair that it was asked for; empty where there was none.
    sa.Column("topic", sa.String(65), nullable=False, server_default=""),
    sa.Column("asked_at", sa.DateTime, nullable=False),
    sa.Column("choice", sa.String(32)),
    sa.Column("certainty", sa.Integer),
    sa.Column("features", sa.JSON(none_as_null=True)),
    sa.Column("region", sa.JSON(none_as_null=True)),
    sa.Column("answered_at", sa.DateTime),
    sa.Column("model_version", sa.String(64)),
    sa.Column("model_label", sa.String(32)),
    sa.Column("model_probability", sa.Float),
    sa.Column("revised", sa.String(32)),
    sa.Column("dispute", sa.Text),
    # Two tabs that ask for the next question at once get the same one.
    sa.UniqueConstraint("session_id", "number", name="one_question_a_number"),
)

publications = sa.Table(
    "publications",
    metadata,
    sa.Column("code", sa.String(8), primary_key=True),
    sa.Column("set_id", sa.String(28), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("published_at", sa.DateTime, nullable=False),
    sa.Column("closed_at", sa.DateTime),
    # A double click on Publish makes one version.
    sa.UniqueConstraint("set_id", "version", name="one_publication_a_version"),
)

members = sa.Table(
    "members",
    metadata,
    sa.Column("code", sa.String(8), sa.ForeignKey("publications.code", name="member_of_a_publication")),
    sa.Column("learner", sa.String(64), sa.ForeignKey("learners.id", name="member_is_a_learner")),
    sa.Column("joined_at", sa.DateTime, nullable=False),
    sa.PrimaryKeyConstraint("code", "learner"),
)
