"""Library: where the pictures come from, and how far they are prepared."""

from pathlib import Path

import streamlit as st

from hematovision.content.phrases import counted
from hematovision.ui.page import errors_shown, show_error, start_page
from hematovision.ui.sign_in import current_account

services = start_page("Library")
pictures = services.pictures


def add():
    folder = st.session_state.folder.strip()
    if not folder:
        return
    with errors_shown():
        source = pictures.add_folder(Path(folder))
        st.session_state.added = f"Added {counted(len(source.records), 'picture')}."
        st.session_state.folder = ""
        pictures.start_indexing()


st.title("Library")
st.markdown("Practice uses the pictures in these folders. They stay where they are; nothing leaves this machine.")
st.markdown("Real cells come first: drawn ones stand in for classes of which no folder has a real cell.")
for source in pictures.library.sources:
    with st.container(border=True):
        st.markdown(f"**{source.folder}**")
        if source.error:
            show_error(source.error)
        if source.is_drawn:
            st.caption(f"{counted(len(source.records), 'drawn cell')}, made by HematoVision")
        elif source.records:
            names = sorted({record.dataset for record in source.records})
            st.caption(f"{counted(len(source.records), 'picture')} · {', '.join(names)}")

if current_account() is None:  # the folders of a site are for whoever runs it to choose
    st.header("Add a folder")
    st.markdown(
        "It should hold the PBC data set, or one sub-folder of pictures for each class, named after the class. "
        "A folder that the draw command wrote does as well."
    )
    path, button = st.columns([5, 1], vertical_alignment="bottom")
    path.text_input("Folder on this machine", key="folder", placeholder="/home/me/cells", on_change=add)
    button.button("Add", on_click=add, width="stretch", type="primary")
if message := st.session_state.pop("added", None):
    st.success(message, icon=None)

st.header("Prepared answers")


@st.fragment(run_every=2 if pictures.index_state.running else None)
def show_index():
    state = pictures.index_state
    if state.error:
        show_error(state.error)
    elif state.running:
        share = state.done / state.total if state.total else 0.0
        st.progress(share, text=f"{state.done:,} of {state.total:,} pictures. Practice works meanwhile.")
    elif state.total:
        st.markdown(f"The model's answer is at hand for {state.done:,} of {state.total:,} pictures.")
    else:
        st.markdown("Nothing to prepare yet.")


show_index()
