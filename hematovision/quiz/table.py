"""A learner's answers as rows, and as CSV that a spreadsheet opens without running anything in it. Pure."""

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

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
    """The rows as CSV with a head. A leading `=`, `+`, `-` or `@` is escaped: it would start a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for values in rows:
        writer.writerow([_cell(values[name]) for name in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, dict):
        return " ".join(f"{name}={part}" for name, part in value.items())
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
