"""Answered questions for tests of the quiz core."""

from datetime import UTC, datetime, timedelta

from hematovision.cells import CORE_FOUR
from hematovision.quiz.questions import ModelAnswer, Question, Reply

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def answered(
    key: str = "monocyte",
    choice: str = "monocyte",
    at: datetime = NOW,
    seconds: float = 5.0,
    certainty: int | None = None,
    model: str = "",
    **more,
) -> Question:
    """A question with its answer, given `seconds` after it was asked."""
    fields = {"id": 1, "session_id": 1, "number": 1, "picture_id": "p1", "choices": CORE_FOUR, "topic": key} | more
    return Question(
        **fields,
        key=key,
        asked_at=at - timedelta(seconds=seconds),
        reply=Reply(choice, certainty),
        answered_at=at,
        model=ModelAnswer("v1", model, 0.9) if model else None,
    )
