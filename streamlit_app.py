"""Navigation; nothing else."""

from typing import Literal

import streamlit as st

from hematovision.ui.teach.instructors import is_shown_teaching

for_instructors: Literal["visible", "hidden"] = "visible" if is_shown_teaching() else "hidden"
st.navigation(
    {
        "": [
            st.Page("pages/learn/home.py", title="Home", default=True),
            st.Page("pages/learn/quiz.py", title="Quiz", url_path="quiz"),
            st.Page("pages/learn/exam.py", title="Exam", url_path="exam"),
            st.Page("pages/learn/atlas.py", title="Atlas", url_path="atlas"),
            st.Page("pages/learn/differential.py", title="Differential", url_path="differential"),
            st.Page("pages/learn/progress.py", title="Progress", url_path="progress"),
            st.Page("pages/learn/join.py", title="Join a set", url_path="join"),
        ],
        "Explore": [
            st.Page("pages/explore/classify.py", title="Classify", url_path="classify"),
            st.Page("pages/explore/heatmaps.py", title="Heat maps", url_path="heat-maps"),
            st.Page("pages/explore/lab.py", title="Morphology lab", url_path="lab"),
        ],
        "Teach": [
            st.Page("pages/teach/sets.py", title="Sets", url_path="sets", visibility=for_instructors),
            st.Page("pages/teach/results.py", title="Results", url_path="results", visibility=for_instructors),
        ],
        "About": [
            st.Page("pages/about/library.py", title="Library", url_path="library"),
            st.Page("pages/about/model_card.py", title="Model card", url_path="model"),
        ],
    },
    position="top",
).run()
