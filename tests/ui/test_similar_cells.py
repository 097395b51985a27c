"""The row of similar reference cells, as a person would read it."""

import pytest
from streamlit.testing.v1 import AppTest

from hematovision.cells import CELL_CLASSES
from hematovision.services import open_services
from hematovision.ui.explore.similar import MEANING, two_decimals
from tests.ui.screen import texts


def page():
    from hematovision.services import open_services
    from hematovision.settings import load_settings
    from hematovision.ui.explore.similar import show_similar

    services = open_services(load_settings())
    beside = services.pictures.library.to_ask["monocyte"][0]
    show_similar(services, services.pictures.prediction(beside), beside)


@pytest.fixture
def shown(app_environment):
    def run() -> AppTest:
        app = AppTest.from_function(page, default_timeout=60).run()
        assert not app.exception
        return app

    return run


def test_four_cells_with_their_classes_and_what_near_means(shown, app_environment):
    pictures = open_services(app_environment).pictures
    pictures.build_index()
    beside = pictures.library.to_ask["monocyte"][0]
    found = pictures.similar(pictures.prediction(beside), 4, beside=beside)
    app = shown()
    captions = [caption.value for caption in app.caption]
    names = [pictures.record(i).label.capitalize().replace("_", " ") for i, _ in found]
    words = ["close" if pictures.is_near(similarity) else "less close" for _, similarity in found]
    numbers = [two_decimals(similarity) for _, similarity in found]
    expected = [f"{name} · {near}, {n}" for name, near, n in zip(names, words, numbers, strict=True)]
    assert captions == [*expected, MEANING]
    assert len(app.get("image")) == 4
    assert "%" not in texts(app)


def test_before_any_is_prepared_there_is_none_and_it_says_so(shown):
    app = shown()
    assert "None yet" in texts(app) and not app.get("image")


def test_what_is_found_meanwhile_says_among_how_many(shown, app_environment, monkeypatch):
    pictures = open_services(app_environment).pictures
    monkeypatch.setattr("hematovision.library.index.BATCH", 4)

    def stop(done, total):
        if done >= 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pictures.build_index(stop)
    references = {picture_id for label in CELL_CLASSES for picture_id in pictures.library.to_show[label]}
    count = len(references & set(sorted(pictures.library.records)[:16]))
    assert 0 < count < 16 and f"Found among {count} of 48 reference cells" in texts(shown())


def test_a_cell_unlike_all_others_is_called_so(shown, app_environment, monkeypatch):
    from hematovision.services.pictures import Pictures

    open_services(app_environment).pictures.build_index()
    monkeypatch.setattr(Pictures, "is_near", lambda self, similarity: False)
    text = texts(shown())
    assert "None is close" in text and " · less close, " in text and " · close" not in text


def test_what_is_not_the_same_is_never_called_so():
    assert [two_decimals(value) for value in (0.9999, 0.994, 0.876, 0.0)] == ["0.99", "0.99", "0.88", "0.00"]
