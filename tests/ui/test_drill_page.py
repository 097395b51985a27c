"""Features first, then the class, as Streamlit runs it without a browser."""

from hematovision.cells import ATTRIBUTES, display_name
from hematovision.quiz.questions import CANNOT_TELL
from hematovision.quiz.session import MODES
from hematovision.services import open_services
from hematovision.storage.store import open_store
from tests.ui.screen import new_tab, press, texts, visit


def stored(settings):
    store = open_store(settings.database)
    return store.stopped_at(store.latest_session("local").id)


def keys(app):
    return [button.key for button in app.button]


def begin(app):
    visit(app, "learn/quiz")
    app.segmented_control[0].set_value("features_first").run()
    assert not app.exception and MODES["features_first"] in texts(app)


def offered(app) -> str:
    """The feature that is asked for: its options, with none of them chosen."""
    (name,) = {key.rsplit("-", 1)[0] for key in keys(app) if key.endswith(f"-{CANNOT_TELL}")}
    wanted = [f"{name}-{value}" for value in (*ATTRIBUTES[name], CANNOT_TELL)]
    assert [key for key in keys(app) if key.startswith(f"{name}-")] == wanted
    assert all(app.button(key=key).proto.type == "secondary" for key in wanted)
    return name


def asks_for_class(app) -> bool:
    return any(key.startswith("choice-") for key in keys(app))


def test_features_are_named_one_by_one_and_stored_with_the_class(app, app_environment):
    begin(app)
    question = stored(app_environment)
    annotation = open_services(app_environment).pictures.record(question.picture_id).attributes
    named = {}
    while not asks_for_class(app):
        assert "What do you see?" in texts(app) and "commit" not in keys(app)
        assert f"({len(named) + 1} of 5)" in texts(app)
        name = offered(app)
        # Rightly, wrongly and not at all, in turns.
        wrong = next(value for value in ATTRIBUTES[name] if value != annotation[name])
        named[name] = (annotation[name], wrong, CANNOT_TELL)[len(named) % 3]
        press(app, f"{name}-{named[name]}")
    assert len(named) == 5 and "Which cell is this?" in texts(app) and stored(app_environment).is_open
    told = [button.label for button in app.button if button.key.startswith("told-")]
    assert told == [f"{display_name(name)}: **{value}**" for name, value in named.items()]
    press(app, f"choice-{question.key}")
    press(app, "commit")
    reply = stored(app_environment).reply
    assert (reply.choice, dict(reply.features)) == (question.key, named)
    shown = texts(app)
    assert f"✓ Right: {display_name(question.key)}" in shown and "2 of 5 features as annotated" in shown
    first, second, third, *_ = named
    assert f"<td>✓ {named[first]}</td><td>{annotation[first]}</td>" in shown
    assert f"<td>✗ {named[second]}</td><td>{annotation[second]}</td>" in shown
    assert f"<td>cannot tell</td><td>{annotation[third]}</td>" in shown
    # A drawn cell was annotated by nobody: no two could differ on it.
    assert "agree on 96 %" not in shown
    visit(app, "learn/progress")
    assert f"<dt>{display_name(first)}</dt><dd>1 of 1</dd>" in texts(app)
    assert f"<dt>{display_name(second)}</dt><dd>0 of 1</dd>" in texts(app)


def test_what_was_told_can_be_told_anew_and_stays_over_another_page(app, app_environment):
    begin(app)
    first = offered(app)
    press(app, f"{first}-{ATTRIBUTES[first][0]}")
    second = offered(app)
    press(app, f"{second}-{CANNOT_TELL}")
    visit(app, "learn/home")
    visit(app, "learn/quiz")
    assert offered(app) not in (first, second)
    press(app, f"told-{first}")
    assert offered(app) == first and f"told-{second}" in keys(app)
    press(app, f"{first}-{ATTRIBUTES[first][1]}")
    assert app.button(key=f"told-{first}").label == f"{display_name(first)}: **{ATTRIBUTES[first][1]}**"
    # Another tab begins anew: what is not committed to is no answer.
    assert offered(visit(new_tab(), "learn/quiz")) == first and stored(app_environment).is_open


def test_before_the_commit_nothing_tells_the_class(app, app_environment):
    begin(app)
    question = stored(app_environment)
    while not asks_for_class(app):
        assert not [key for key in keys(app) if display_name(question.key).lower() in key]
        assert display_name(question.key).lower() not in texts(app).lower()
        press(app, f"{offered(app)}-{CANNOT_TELL}")
    assert "annotated" not in texts(app).replace(MODES["features_first"], "")


def test_cells_without_annotations_say_so_and_others_can_be_chosen(app):
    begin(app)
    scope = next(box for box in app.selectbox if box.label == "Cells")
    scope.set_value("stages").run()
    assert "Too few of these cells have annotated features." in texts(app)
    next(box for box in app.selectbox if box.label == "Cells").set_value("all_eight").run()
    assert "What do you see?" in texts(app)
