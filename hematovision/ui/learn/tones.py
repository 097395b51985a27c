"""Tones of the tally, as a counter of the bench has: one for each key, so that the eyes stay on the cell. Off at first.

A tone tells what the learner pressed, never the key of a cell.
"""

from collections.abc import MutableMapping
from typing import Any

import streamlit as st

State = MutableMapping[Any, Any]

HERTZ = (262, 294, 330, 392, 440, 523, 587)
"""A pentatonic scale: any two of its tones can be told apart, and none clashes with another."""
_PLAY = """<script>// tally %d
window.hvAudio ??= new AudioContext();
{  // a block: the next tally declares the same names
  const tone = window.hvAudio.createOscillator(), volume = window.hvAudio.createGain();
  const now = window.hvAudio.currentTime;
  tone.frequency.value = %d;
  volume.gain.setValueAtTime(0.2, now);
  volume.gain.exponentialRampToValueAtTime(0.001, now + 0.15);
  tone.connect(volume).connect(window.hvAudio.destination);
  tone.start();
  tone.stop(now + 0.15);
}
</script>"""


def tone_switch() -> None:
    """The switch, which is off at first."""
    st.toggle("Sound", key="has-tones", persist_state="session")


def note_tally(state: State, question_id: int, key: int) -> None:
    """Remember that key `key`, from 0, of the board tallied a cell: the next drawing sounds it."""
    state["tone"] = (question_id, HERTZ[key % len(HERTZ)])


def sound(state: State) -> None:
    """Sound the tally that was just made, once, where the switch is on."""
    tone = state.pop("tone", None)
    if tone and state.get("has-tones"):
        st.html(_PLAY % tone, unsafe_allow_javascript=True)
