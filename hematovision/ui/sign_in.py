"""Sign-in, where the site asks for it: `[auth]` in Streamlit's secrets (docs/sign_in.md)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAuthError

from hematovision.quiz.session import LONGEST_NAME

HOLDS = timedelta(hours=12)
"""A sign-in holds this long at least: ID tokens of an hour would end in the middle of an exam."""


@dataclass(frozen=True)
class Account:
    """Who signed in: an id of 64 hexadecimal digits that never changes, and a name, which may be empty."""

    id: str
    name: str


def account_of(claims: Mapping[str, Any], now: datetime) -> Account | None:
    """The account that the claims of an ID token speak for; None where nobody is signed in, or no longer.

    A subject is unique with its issuer only, and both together never change (OpenID Connect Core 1.0, section 5.7); an
    email address does. Streamlit reads the claims from a cookie of 30 days and looks at no time in them: here a sign-in
    ends `HOLDS` after the token was issued (`iat`), or when it expires (`exp`) where that is later.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not claims.get("is_logged_in") or not issuer or not subject:
        return None
    ends = max(claims.get("exp") or 0, (claims.get("iat") or 0) + HOLDS.total_seconds())
    if now.timestamp() >= ends:
        return None
    name = next((claims[key] for key in ("name", "preferred_username") if claims.get(key)), "")
    # No issuer has a space, being an address: no two pairs are written alike.
    stable = hashlib.sha256(f"{issuer} {subject}".encode()).hexdigest()
    return Account(stable, " ".join(name.split())[:LONGEST_NAME].strip())


def has_sign_in() -> bool:
    """Whether the site asks its people to sign in. Where it does not, a name is what someone typed."""
    return "is_logged_in" in st.user


def current_account() -> Account | None:
    """The account that is signed in; None where the site has no sign-in.

    Where the site has it and nobody is signed in, it asks, and draws nothing else of the page.
    """
    if not has_sign_in():
        return None
    account = account_of(st.user.to_dict(), datetime.now(UTC))
    if account is None:
        st.header("Sign in to practice")
        if st.user.is_logged_in:
            st.markdown("Your sign-in has ended. Every answer is stored: sign in again and go on.")
        st.button("Sign in", key="sign-in", type="primary", on_click=_sign_in)
        st.stop()
    return account


def _sign_in() -> None:
    try:
        st.login()
    except StreamlitAuthError as error:
        st.error(f"**Sign-in is not set up rightly on this site.** Tell whoever runs it: {error}", icon=None)
