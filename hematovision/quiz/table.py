"""A learner's answers as rows, and as CSV that a spreadsheet opens without running anything in it. Pure."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from hematovision import spreadsheet
from hematovision.quiz.questions import Question
from hematovision.quiz.session import Session

COLUMNS = (
    "session",
    "mode",
    "scope",
    "number",
    "picture",
    "key",
    "choice",
    "right",
    "certainty",
    "seconds",
    "asked_at",
    "answered_at",
    "model_version",
    "model_label",
    "model_probability",
    "revised",
    "dispute",
    "choices",
    "features",
    "region",
)


def row(session: Session, question: Question) -> dict[str, Any]:
    """One answered question under `COLUMNS`, ready for JSON. Times are UTC in ISO 8601."""
    reply, model = question.reply, question.model
    assert reply is not None and question.answered_at is not None
    values = (
        session.id,
        session.plan.mode,
        session.plan.scope,
        question.number,
        question.picture_id,
        question.key,
        reply.choice,
        question.is_right,
        reply.certainty,
        question.seconds,
        question.asked_at.isoformat(),
        question.answered_at.isoformat(),
        model.version if model else None,
        model.label if model else None,
        model.probability if model else None,
        question.revised,
        question.dispute,
        list(question.choices),
        dict(reply.features),
        asdict(reply.region) if reply.region else None,
    )
    return dict(zip(COLUMNS, values, strict=True))


def as_csv(rows: Iterable[dict[str, Any]]) -> str:
    """The rows as CSV with a head."""
    return spreadsheet.as_csv(COLUMNS, ([_cell(values[name]) for name in COLUMNS] for values in rows))


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, dict):
        return " ".join(f"{name}={part}" for name, part in value.items())
    return value
