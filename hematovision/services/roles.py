"""Who may teach. Asked by every service of an instructor, and by the pages before they show one."""

import re

from hematovision.errors import InputError

_ACCOUNT = re.compile(r"[0-9a-f]{64}")
"""Ids of accounts (docs/sign_in.md); those of learners who chose a name on this machine are shorter."""


def may_teach(actor: str, instructors: frozenset[str]) -> bool:
    """Whether a learner is an instructor: one of those listed.

    Where none is listed, everyone of a machine of one's own, and no account.
    """
    return actor in instructors if instructors else not _ACCOUNT.fullmatch(actor)


def check_teacher(actor: str, instructors: frozenset[str]) -> None:
    """Raises InputError where the learner is no instructor."""
    if not may_teach(actor, instructors):
        raise InputError("This is for instructors.", "Ask whoever runs this site to list your account.", kind="role")
