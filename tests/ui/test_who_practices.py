"""Who practices, where several share a machine: nobody becomes another unasked."""

import pytest

from hematovision.services import open_services
from hematovision.storage.store import open_store
from tests.ui.screen import new_tab, press, texts, visit

PROGRESS = "learn/progress"


@pytest.fixture
def ids(app_environment):
    """Anna and Ben, known on this machine: name -> id."""
    practice = open_services(app_environment).practice
    return {name: practice.enroll(name).id for name in ("Anna", "Ben")}


def known(settings):
    return [learner.name for learner in open_store(settings.database).learners()]


def labels(app):
    return {button.key: button.label for button in app.button}


def test_who_deletes_their_data_does_not_become_the_other_one(app, app_environment, ids):
    app.query_params["learner"] = ids["Anna"]
    visit(app, PROGRESS)
    press(app, "delete")
    assert known(app_environment) == ["Ben"]
    said = texts(app)
    assert "Your data were deleted." in said and "Who practices?" in said
    assert labels(app) == {f"learner-{ids['Ben']}": "Ben"} and "learner" not in app.query_params
    visit(app, PROGRESS)
    assert "Who practices?" in texts(app) and "Your data were deleted." not in texts(app)
    press(app, f"learner-{ids['Ben']}")
    assert "No cell has been named yet." in texts(app)
    assert known(app_environment) == ["Ben"]


def test_who_was_deleted_in_another_tab_is_asked_for_and_so_is_an_old_address(app, app_environment, ids):
    app.query_params["learner"] = ids["Anna"]
    visit(app, PROGRESS)
    open_services(app_environment).practice.forget(ids["Anna"])
    old = new_tab()
    old.query_params["learner"] = ids["Anna"]
    for tab in (app, old):
        assert "Who practices?" in texts(tab.run()) and not [key for key in labels(tab) if key in ("delete", "start")]
    press(old, f"learner-{ids['Ben']}")
    assert old.button(key="start").label == "Start practice"


def test_of_one_learner_alone_nothing_is_asked(app, app_environment, ids):
    visit(app, PROGRESS)
    assert "Who practices?" in texts(app)
    practice = open_services(app_environment).practice
    practice.forget(ids["Anna"])
    alone = new_tab().run()
    assert "Who practices?" not in texts(alone) and alone.button(key="start")
    practice.forget(ids["Ben"])
    assert "Who practices?" not in texts(alone.run()) and alone.button(key="start")
    assert known(app_environment) == []


def test_who_practices_without_a_name_can_go_over_to_another(app, app_environment):
    visit(app, "learn/quiz")  # begins without a name
    anna = open_services(app_environment).practice.enroll("Anna").id
    tab = new_tab().run()
    press(tab, "learner-local")
    assert tab.text_input(key="my-name-local").value == "" and labels(tab)[f"learner-{anna}"] == "Anna"
    press(tab, f"learner-{anna}")
    assert tab.text_input(key=f"my-name-{anna}").value == "Anna"
    assert labels(tab)["learner-local"] == "Without a name"


def test_the_only_one_without_a_name_is_offered_nobody_else(app):
    visit(app, "learn/quiz")
    visit(app, "learn/home")
    assert [field.key for field in app.text_input] == ["my-name-local"]
    assert not [key for key in labels(app) if key.startswith("learner-")]
