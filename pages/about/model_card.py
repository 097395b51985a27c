"""Model card: what the model is, how well it does, and every cell that it names wrong."""

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.ui.model_card import show_gallery, show_section, show_words
from hematovision.ui.page import show_error, start_page

services = start_page("Model card")


@st.fragment
def gallery(section, cells):
    show_gallery(services, section, cells)


st.title("Model card")
try:
    report = services.model_cards.report()
except HematoVisionError as error:
    show_error(error)
    st.stop()
show_words(report.headline)
*sections, errors = report.sections
for section in sections:
    show_section(section, report.figures.get(section.key, ()))
gallery(errors, report.wrong)
