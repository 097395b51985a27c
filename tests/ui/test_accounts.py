"""With sign-in the learner is the account; without it nothing is different."""

import hashlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from hematovision.settings import ROOT
from hematovision.storage.store import open_store
from hematovision.ui.sign_in import Account, account_of
from tests.ui.screen import new_tab, press, texts, visit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER = "https://login.example.edu"


def claims(subject="42", name="Ann", issued=NOW, lasts=timedelta(hours=1), **others):
    """What Streamlit keeps of an ID token, with what it adds."""
    times = {"iat": int(issued.timestamp()), "exp": int((issued + lasts).timestamp())}
    return {"is_logged_in": True, "iss": ISSUER, "sub": subject, "name": name} | times | others


def id_of(subject):
    return hashlib.sha256(f"{ISSUER} {subject}".encode()).hexdigest()


def signed_in(subject="42", name="Ann", **others):
    tab = new_tab()
    tab.user = claims(subject, name, issued=datetime.now(UTC), **others)
    return tab


def answer_one(tab):
    visit(tab, "learn/quiz")
    press(tab, "choice-monocyte")
    press(tab, "commit")
    return visit(tab, "learn/home")


def test_the_id_is_of_issuer_and_subject_alone():
    account = account_of(claims(), NOW)
    assert account == Account("370920b3ce056954506099184685f4c5071af372df76afa117c8cdbd3c85b7f6", "Ann")
    assert account_of(claims(name="Ann Miller", email="new@example.edu"), NOW).id == account.id
    assert account_of(claims(subject="43"), NOW).id != account.id
    assert account_of(claims(iss="https://other.example.edu"), NOW).id != account.id


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"name": "  Ann \n Miller "}, "Ann Miller"),
        ({"name": "", "preferred_username": "amiller"}, "amiller"),
        ({"name": None}, ""),
        ({"name": "x" * 63 + " Miller"}, "x" * 63),
    ],
)
def test_the_name_is_that_of_the_claims(given, name):
    assert account_of(claims(**{"preferred_username": None} | given), NOW).name == name


@pytest.mark.parametrize("gone", ["is_logged_in", "iss", "sub"])
def test_nobody_is_signed_in_where_a_claim_is_missing(gone):
    assert account_of(claims() | {gone: None}, NOW) is None


def test_a_sign_in_holds_twelve_hours_or_as_long_as_its_token():
    hours = [timedelta(hours=n) for n in (0, 1, 12, 24)]
    for lasts, held in ((hours[1], hours[2]), (hours[3], hours[3])):
        account = claims(lasts=lasts)
        assert account_of(account, NOW + held - timedelta(seconds=1)) == account_of(account, NOW)
        assert account_of(account, NOW + held) is None
    assert account_of(claims() | {"iat": None, "exp": None}, NOW) is None


EVERY_PAGE = sorted(path.relative_to(ROOT / "pages").with_suffix("") for path in (ROOT / "pages").rglob("*.py"))


@pytest.mark.parametrize("page", EVERY_PAGE, ids=str)
def test_who_is_not_signed_in_sees_one_button_and_nothing_else(app, app_environment, page):
    app.user = {"is_logged_in": False}
    visit(app, page.as_posix())
    assert [header.value for header in app.header] == ["Sign in to practice"]
    assert [(button.key, button.label) for button in app.button] == [("sign-in", "Sign in")]
    assert texts(app) == "Sign in to practice" and not app.image and not app.text_input
    assert open_store(app_environment.database).learners() == []


def test_a_sign_in_that_has_ended_asks_for_another(app, app_environment):
    app.user = claims(issued=datetime.now(UTC) - timedelta(hours=13))
    app.run()
    assert "Your sign-in has ended. Every answer is stored: sign in again and go on." in texts(app)
    assert [button.key for button in app.button] == ["sign-in"]
    assert open_store(app_environment.database).learners() == []


def test_each_account_has_its_own_answers_even_where_names_are_alike(app, app_environment):
    ann, other = signed_in("42"), signed_in("43")
    assert "1 cell named" in texts(answer_one(ann))
    assert "cell named" not in texts(other.run())
    assert "Practicing as Ann" in texts(ann) and "Practicing as Ann" in texts(other)
    store = open_store(app_environment.database)
    assert [(found.id, found.name) for found in store.learners()] == [(id_of("42"), "Ann"), (id_of("43"), "Ann")]
    assert [store.counts(id_of(subject))[0] for subject in ("42", "43")] == [1, 0]


def test_nobody_practices_as_another_by_an_address(app):
    answer_one(signed_in("42"))
    other = signed_in("43", "Ben")
    other.query_params["learner"] = id_of("42")
    other.run()
    assert "Practicing as Ben" in texts(other) and "cell named" not in texts(other)
    visit(other, "learn/progress")
    assert "No cell has been named yet." in texts(other)


def test_no_account_names_folders_of_the_server(app):
    visit(app, "about/library")
    assert app.text_input(key="folder")
    assert not visit(signed_in().run(), "about/library").text_input


def test_no_account_writes_into_the_library_of_all(app):
    visit(app, "explore/lab")
    assert app.button(key="lab-save")
    lab = visit(signed_in().run(), "explore/lab")
    assert "Drawn and seen" in texts(lab) and "Save to a set" not in texts(lab)
    assert not [button for button in lab.button if button.key == "lab-save"] and not lab.text_input


def test_an_account_chooses_no_other_name(app):
    answer_one(app)
    app.text_input(key="my-name-local").set_value("Zoe").run()
    tab = signed_in().run()
    assert not tab.text_input and not [button for button in tab.button if button.key.startswith("learner-")]
    assert "Zoe" not in texts(tab)


def test_a_name_is_shown_as_it_is_written(app):
    assert "Practicing as &lt;b&gt;**Ann**" in texts(signed_in(name="<b>**Ann**").run())


def test_signing_out_ends_it_and_the_answers_are_there_again(app):
    tab = answer_one(signed_in())
    press(tab, "sign-out")
    assert [button.key for button in tab.button] == ["sign-in"] and "Ann" not in texts(tab)
    assert "1 cell named" in texts(signed_in().run())


def test_who_deletes_their_data_is_not_stored_again_at_once(app, app_environment):
    tab = answer_one(signed_in())
    visit(tab, "learn/progress")
    press(tab, "delete")
    visit(tab, "learn/home")
    assert open_store(app_environment.database).learners() == []


def test_a_site_that_is_not_set_up_says_so(app):
    app.user = {"is_logged_in": False}
    app.run()
    press(app, "sign-in")
    assert "Sign-in is not set up rightly on this site." in texts(app)


def test_without_sign_in_nothing_of_it_is_shown_or_loaded(app_environment):
    script = (
        "import sys; from tests.ui.screen import new_tab; app = new_tab().run(); assert not app.exception;"
        "assert not [b for b in app.button if b.key in ('sign-in', 'sign-out')];"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'authlib', 'httpx2', 'joserfc'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
