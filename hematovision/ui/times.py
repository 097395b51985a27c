"""Moments and spans of time, as the reader's own clock says them."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from hematovision.content.phrases import counted


def learner_zone() -> tzinfo:
    """The time zone of the learner's browser; UTC where it names none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except ZoneInfoNotFoundError:
        return UTC


def in_zone(at: datetime, zone: tzinfo) -> str:
    """`30 November 2026 at 08:00`, by the reader's clock."""
    return f"{at.astimezone(zone):%d %B %Y at %H:%M}"


def in_words(time: timedelta) -> str:
    """How long until something is due, in its largest whole unit, at least a minute: `5 hours`."""
    seconds = time.total_seconds()
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length or unit == "minute":
            count = max(1, int(seconds // length))
            return counted(count, unit)
    raise AssertionError("unreachable")
