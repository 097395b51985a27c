"""The policy of a set: when it may be taken, how often, how long, and what a student sees of the keys. Pure laws."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from hematovision.errors import InputError, unknown
from hematovision.quiz.faults import Faults, Place

FEEDBACK = ("now", "end", "never")
"""When the key of a cell shows: once it is answered, once the attempt has ended, or not at all."""
LONGEST_MINUTES = 24 * 60
MOST_ATTEMPTS = 1000


@dataclass(frozen=True)
class Policy:
    """What an instructor lays down for a set. 0 minutes are no limit, 0 attempts any number.

    `opens_at` and `closes_at` are in UTC; None is no bound. `pass_mark` is a share of the points, in (0, 1]; None where
    nothing is passed or failed. `shuffle` gives each student an order of their own. `show_model`: with the key comes
    the model's answer.
    """

    feedback: str = "now"
    minutes: int = 0
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    attempts: int = 0
    pass_mark: float | None = None
    shuffle: bool = True
    show_model: bool = True

    def as_dict(self) -> dict[str, Any]:
        """What `parse` takes: the fields that are not as they are without a word."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        changed = {name: value for name, value in found.items() if value != getattr(FREE, name)}
        return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in changed.items()}


FREE = Policy()
"""The policy of a set without one: practice at any time, with the key after each answer."""
FIELDS = tuple(field.name for field in fields(Policy))


@dataclass(frozen=True)
class Sight:
    """What an attempt shows: of a cell the key with its note, and the model's answer; of itself the points."""

    key: bool
    model: bool
    points: bool


def check_begin(policy: Policy, now: datetime, attempts: int) -> None:
    """Raises InputError where a student who made `attempts` so far may not begin another one `now`."""
    if policy.opens_at and now < policy.opens_at:
        opens = f"It opens on {_in_words(policy.opens_at)}."
        raise InputError("This set is not open yet.", opens, kind="not_open")
    if policy.closes_at and now >= policy.closes_at:
        raise InputError(
            f"This set closed on {_in_words(policy.closes_at)}.", "Ask your instructor for more time.", kind="closed"
        )
    if policy.attempts and attempts >= policy.attempts:
        count = "your attempt" if policy.attempts == 1 else f"all {policy.attempts} attempts"
        raise InputError(f"You have used {count}.", "Ask your instructor for another one.", kind="no_attempts")


def ends_at(policy: Policy, began_at: datetime) -> datetime | None:
    """When an attempt ends by itself: its time is over, or the set closes; None where neither will be."""
    bounds = [policy.closes_at] if policy.closes_at else []
    if policy.minutes:
        bounds.append(began_at + timedelta(minutes=policy.minutes))
    return min(bounds, default=None)


def sight(policy: Policy, is_answered: bool, has_ended: bool) -> Sight:
    """What the attempt may show now. Before a cell is answered, or the attempt has ended, never its key."""
    key = {"now": is_answered or has_ended, "end": has_ended, "never": False}[policy.feedback]
    return Sight(key, key and policy.show_model, has_ended and policy.feedback != "never")


def is_passed(policy: Policy, points: float, most: float) -> bool | None:
    """Whether `points` of the `most` that there were are enough; None where the set has no pass mark."""
    if policy.pass_mark is None:
        return None
    needed = policy.pass_mark * most
    # 0.7 times 10 points is a little more than 7 in floating point.
    return points > needed or math.isclose(points, needed, rel_tol=1e-9)


def order(cells: Sequence[str], student_id: str, seed: int) -> tuple[str, ...]:
    """The cells in an order of the student's own: the same one each time, whatever order they came in."""
    return tuple(sorted(cells, key=lambda cell: sha256(json.dumps([seed, student_id, cell]).encode()).digest()))


def parse(values: object) -> Policy:
    """The policy that a mapping describes. Raises InputError that names the first field with a fault."""
    faults = Faults()
    policy = read(values, (), faults)
    if faults.found:
        raise faults.found[0].error
    return policy


def read(values: object, place: Place, faults: Faults) -> Policy:
    """The policy as far as it can be read; `faults` takes the rest."""
    if values is None:
        return FREE
    if not isinstance(values, dict):
        faults.add(place, "policy should have fields.", f"It can have: {', '.join(FIELDS)}.")
        return FREE
    readers = {
        "feedback": _feedback,
        "minutes": lambda value: _count("minutes", value, LONGEST_MINUTES),
        "opens_at": lambda value: _time("opens_at", value),
        "closes_at": lambda value: _time("closes_at", value),
        "attempts": lambda value: _count("attempts", value, MOST_ATTEMPTS),
        "pass_mark": _share,
        "shuffle": lambda value: _yes_or_no("shuffle", value),
        "show_model": lambda value: _yes_or_no("show_model", value),
    }
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in readers:
            error = unknown("field of policy", str(name), FIELDS)
            faults.add((*place, name), error.message, error.hint)
        else:
            found[name] = faults.read((*place, name), readers[name], value, getattr(FREE, name))
    policy = Policy(**found)
    if policy.opens_at and policy.closes_at and policy.opens_at >= policy.closes_at:
        faults.add((*place, "closes_at"), "The set closes before it opens.", "Take a later time to close it.")
    return policy


def _feedback(value: object) -> str:
    if value not in FEEDBACK:
        raise unknown("feedback", str(value), FEEDBACK)
    return str(value)


def _count(name: str, value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise InputError(f"{name} should be a whole number.", f"Take 0, for no limit, to {most}.")
    return value


def _share(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise InputError("pass_mark should be a share of the points.", "Take more than 0, up to 1: 0.6 for 60 %.")
    return float(value)


def _yes_or_no(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{name} should be true or false.", "Write one of the two.")
    return value


def _time(name: str, value: object) -> datetime | None:
    hint = "Write date, time and zone: 2026-11-30T08:00+01:00."
    if value is None:
        return None
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if found.tzinfo is None:
            raise InputError(f"{name} has no time zone.", hint)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(f"{name} is no date with a time.", hint) from None


def _in_words(time: datetime) -> str:
    return f"{time:%d %B %Y at %H:%M} UTC"
