"""A clock that goes on by a second each time it is looked at."""

from datetime import UTC, datetime, timedelta


class Clock:
    START = datetime(2026, 1, 1, tzinfo=UTC)
    LATER = datetime(2026, 2, 1, tzinfo=UTC)

    def __init__(self):
        self.now = self.START

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now
