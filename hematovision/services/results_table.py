"""The results of a published set as CSV, for a spreadsheet. It holds the keys."""

from hematovision import spreadsheet
from hematovision.quiz.results import Results, Student

COLUMNS = (
    "student",
    "student_id",
    "state",
    "attempt",
    "started_at",
    "ended_at",
    "cell",
    "picture",
    "key",
    "second_key",
    "choice",
    "right",
    "certainty",
    "seconds",
    "attempt_points",
    "attempt_most_points",
    "attempt_passed",
)


def as_csv(results: Results) -> str:
    """A row for each cell of each attempt under `COLUMNS`; one row for a student who has not begun. Times are UTC."""
    return spreadsheet.as_csv(COLUMNS, (row for student in results.students for row in _rows(results, student)))


def _rows(results: Results, student: Student) -> list[list[object]]:
    who = [student.learner.name, student.learner.id, student.state]
    if not student.attempts:
        return [[*who, *[""] * (len(COLUMNS) - len(who))]]
    rows: list[list[object]] = []
    for attempt in student.attempts:
        run = attempt.session
        ended = attempt.ended_at.isoformat() if attempt.ended_at else ""
        passed = "" if attempt.is_passed is None else attempt.is_passed
        for item in results.items:
            question = attempt.answers[item.number]
            reply = question.reply
            said = [reply.choice, question.is_right, reply.certainty, question.seconds] if reply else ["", "", "", ""]
            cell = [item.number, item.picture_id, question.key, item.second_key or "", *said]
            points = [attempt.points, attempt.most_points, passed]
            rows.append([*who, attempt.number, run.started_at.isoformat(), ended, *cell, *points])
    return rows
