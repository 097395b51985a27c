from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from hematovision.ui.gallery import paged_gallery

    paged_gallery("some", list(range(st.session_state.get("count", 40))), st.text)


def numbers(app):
    return [int(text.value) for text in app.text]


def test_one_leafs_through_a_gallery_and_a_shorter_one_begins_on_its_last_page():
    app = AppTest.from_function(page).run()
    assert numbers(app) == list(range(18)) and app.button(key="some-first-back").disabled
    app.button(key="some-first-on").click().run()
    app.button(key="some-first-on").click().run()
    assert numbers(app) == list(range(36, 40)) and app.button(key="some-first-on").disabled
    app.session_state["count"] = 20
    assert numbers(app.run()) == [18, 19]
    app.session_state["count"] = 5
    assert numbers(app.run()) == list(range(5)) and not app.button
