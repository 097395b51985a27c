"""Navigation; nothing else."""

import streamlit as st

st.navigation(
    {
        "": [
            st.Page("pages/learn/home.py", title="Home", default=True),
            st.Page("pages/learn/quiz.py", title="Quiz", url_path="quiz"),
            st.Page("pages/explore/classify.py", title="Classify", url_path="classify"),
            st.Page("pages/explore/lab.py", title="Morphology lab", url_path="lab"),
            st.Page("pages/about/library.py", title="Library", url_path="library"),
        ],
    },
    position="top",
).run()
