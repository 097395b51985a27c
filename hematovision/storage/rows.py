"""Rows and values: how sessions, questions and publications are kept in the tables."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from hematovision.quiz.publication import Publication
from hematovision.quiz.questions import ModelAnswer, Question, Region, Reply
from hematovision.quiz.session import Cell, Learner, Plan, Session
from hematovision.storage.schema import questions, sessions

ANSWERED = questions.c.choice.is_not(None)
IS_OPEN = questions.c.choice.is_(None)
MODEL_COLUMNS = ("model_version", "model_label", "model_probability")


def select_sessions() -> sa.Select[Any]:
    """Sessions with the counts of their questions, the one touched last first."""
    mine = questions.c.session_id == sessions.c.id
    asked = sa.select(sa.func.count()).where(mine).scalar_subquery().label("asked")
    answered = sa.select(sa.func.count()).where(mine, ANSWERED).scalar_subquery().label("answered")
    return sa.select(sessions, asked, answered).order_by(sessions.c.touched_at.desc(), sessions.c.id.desc())


def question_row(learner: str, session_id: int, number: int, cell: Cell, now: datetime) -> dict[str, Any]:
    return {
        "learner": learner,
        "session_id": session_id,
        "number": number,
        "picture_id": cell.picture_id,
        "key": cell.key,
        "choices": list(cell.choices),
        "topic": cell.topic,
        "asked_at": naive(now),
    }


def reply_row(reply: Reply) -> dict[str, Any]:
    return {
        "choice": reply.choice,
        "certainty": reply.certainty,
        "features": dict(reply.features) or None,
        "region": asdict(reply.region) if reply.region else None,
    }


def model_row(model: ModelAnswer) -> dict[str, Any]:
    return dict(zip(MODEL_COLUMNS, (model.version, model.label, model.probability), strict=True))


def learner_of(row: Mapping[Any, Any]) -> Learner:
    return Learner(row["id"], row["name"] or "", aware(row["exam_at"]))


def session_of(row: Mapping[Any, Any]) -> Session:
    started_at = row["started_at"].replace(tzinfo=UTC)
    plan = Plan.of(row["plan"])
    return Session(row["id"], row["learner"], plan, started_at, aware(row["ended_at"]), row["asked"], row["answered"])


def question_of(row: Mapping[Any, Any]) -> Question:
    reply = model = None
    if row["choice"] is not None:
        region = Region(**row["region"]) if row["region"] else None
        reply = Reply(row["choice"], row["certainty"], row["features"] or {}, region)
    if row["model_label"] is not None:
        model = ModelAnswer(row["model_version"], row["model_label"], row["model_probability"])
    return Question(
        id=row["id"],
        session_id=row["session_id"],
        number=row["number"],
        picture_id=row["picture_id"],
        key=row["key"],
        choices=tuple(row["choices"]),
        topic=row["topic"],
        asked_at=row["asked_at"].replace(tzinfo=UTC),
        reply=reply,
        answered_at=aware(row["answered_at"]),
        model=model,
        revised=row["revised"],
        dispute=row["dispute"],
    )


def aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def naive(moment: datetime) -> datetime:
    """SQLite keeps no time zone: UTC goes in and comes out."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def publication_row(publication: Publication) -> dict[str, Any]:
    values = dict(publication.__dict__)
    closed_at = publication.closed_at
    times = {"published_at": naive(publication.published_at), "closed_at": naive(closed_at) if closed_at else None}
    return values | times


def publication_of(row: Mapping[Any, Any]) -> Publication:
    published_at = row["published_at"].replace(tzinfo=UTC)
    return Publication(
        row["code"], row["set_id"], row["title"], row["version"], row["owner"], published_at, aware(row["closed_at"])
    )
