"""What tests of pages do with an app: open it, go to a page, press, read what a person would."""

from streamlit.testing.v1 import AppTest

from hematovision.settings import ROOT


def new_tab() -> AppTest:
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)


def visit(app: AppTest, page: str) -> AppTest:
    """Go to a page, named as in `pages/`: `learn/quiz`."""
    app.run()
    app.switch_page(f"pages/{page}.py")
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception


def texts(app: AppTest) -> str:
    """All words on the page."""
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.error, app.success)
    html = [str(e.proto) for e in app.get("html") if "<style>" not in str(e.proto)]
    return "\n".join([e.value for kind in kinds for e in kind] + html)
