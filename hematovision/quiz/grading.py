"""Grading: the points of an answer, by a rule that the learner can read before the first question."""

from collections.abc import Mapping
from types import MappingProxyType

from hematovision.cells import are_neighbors, severity
from hematovision.errors import InputError, unknown

RULES: Mapping[str, str] = MappingProxyType(
    {
        "plain": "A right answer brings 1 point.",
        "certainty": "Say how sure you are. A right answer brings 1, 2 or 3 points, a wrong one takes 0, 2 or 6.",
        "neighbors": "A right answer brings 1 point, a neighbor in maturation half a point.",
        "severity": "A right answer brings 1 point. A wrong one costs up to 1, the more it could matter to a patient.",
    }
)
"""Rule -> what it says to the learner. A question without an answer brings 0 under each."""

_BY_CERTAINTY = {1: (1.0, 0.0), 2: (2.0, -2.0), 3: (3.0, -6.0)}
"""Certainty -> (right, wrong), after Gardner-Medwin."""
_NEIGHBOR = 0.5


def check_rule(rule: str) -> str:
    """The rule. Raises InputError where there is none of that name."""
    if rule not in RULES:
        raise unknown("grading", rule, RULES)
    return rule


def points(rule: str, key: str, choice: str | None, certainty: int | None = None) -> float:
    """The points of one answer; `choice` is None where there was none. Raises InputError.

    An answer to a `certainty` quiz without a certainty has no points to give: that is an error, not a guess.
    """
    check_rule(rule)
    if choice is None:
        return 0.0
    if rule == "certainty":
        if certainty is None:
            raise InputError("This quiz asks how sure you are.", "Say 1, 2 or 3.", kind="certainty")
        right, wrong = _BY_CERTAINTY[certainty]
        return right if choice == key else wrong
    if choice == key:
        return 1.0
    if rule == "neighbors" and are_neighbors(key, choice):
        return _NEIGHBOR
    return -severity(key, choice) if rule == "severity" else 0.0


def most_points(rule: str) -> float:
    """What one right answer can bring."""
    return 3.0 if check_rule(rule) == "certainty" else 1.0
