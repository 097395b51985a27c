"""Progress: what a learner knows and mixes up, when what is due, and their data to take away or to delete."""

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.ui.learn.progress import (
    ask_exam,
    show_calibration,
    show_confusion,
    show_curve,
    show_data,
    show_due,
    show_features,
    show_pairs,
    show_reliance,
    show_times,
    show_total,
)
from hematovision.ui.learner import current_learner, forget_learner, say_forgotten
from hematovision.ui.page import errors_shown, show_error, start_page
from hematovision.ui.times import learner_zone

services = start_page("Progress")
practice = services.practice
learner = current_learner(services)


def delete():
    with errors_shown():
        forget_learner(services, learner)


st.title("Progress")
say_forgotten()
try:
    found = practice.progress(learner, learner_zone())
except HematoVisionError as error:
    show_error(error)
    st.stop()
show_total(found)
if found.total.n:
    show_pairs(practice, learner, found)
    show_confusion(found)
    show_curve(found)
    show_times(found)
    show_calibration(found)
    show_features(found)
    show_reliance(found)
    show_due(found)
    ask_exam(practice, learner)
elif st.button("Start practice", type="primary", shortcut="Enter", key="start"):
    st.switch_page("pages/learn/quiz.py")
# One who only took a name has that to delete.
if practice.current(learner) or any(one.id == learner for one in practice.learners()):
    show_data(practice, learner, on_delete=delete)
