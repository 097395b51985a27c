"""Sign-in as two people do it, each in a browser of their own, with a provider of this machine."""

from pathlib import Path

import pytest

from tests.browser.acts import name_cell, open_page, settle, stored
from tests.browser.conftest import Server
from tests.browser.provider import CLIENT, SECRET, running_provider

SECRETS = """[auth]
redirect_uri = "http://localhost:{{port}}/oauth2callback"
cookie_secret = "only for this test, and long enough to sign with"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{url}/.well-known/openid-configuration"
"""


@pytest.fixture
def provider():
    with running_provider() as running:
        yield running


@pytest.fixture
def site(provider, tmp_path, tiny_model, cells_folder, bank):
    """The app with sign-in: its secrets lie in a folder of the test."""
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(SECRETS.format(client=CLIENT, secret=SECRET, url=provider.url))
    running = Server(
        {
            "HEMATOVISION_HOME": str(tmp_path / "home"),
            "HEMATOVISION_MODEL": str(tiny_model),
            "HEMATOVISION_DATA": str(cells_folder),
            "HEMATOVISION_BANK": str(bank),
            "STREAMLIT_SECRETS_FILES": str(secrets),
        }
    )
    yield running
    running.kill()


@pytest.fixture
def someone(browser):
    """Opens the browser of one more person: no cookie of it is known to another."""
    contexts = []

    def come(width=1280):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}))
        return contexts[-1].new_page()

    yield come
    for context in contexts:
        context.close()


def sign_in(page, name):
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=name).click()
    page.get_by_text(f"Practicing as {name}").wait_for()
    settle(page)


def sign_out(page):
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in to practice").wait_for()
    settle(page)


def drawn(page) -> tuple[list[str], list[str], int]:
    """Headings, buttons, and how many pictures the page has."""
    main = page.locator("[data-testid=stMain]")
    buttons, headings = main.get_by_role("button").all_inner_texts(), main.get_by_role("heading").all_inner_texts()
    return headings, buttons, main.get_by_role("img").count()


def learner_id(site, name) -> str:
    (found,) = stored(site, "SELECT id FROM learners WHERE name = ?", name)
    return found[0]


def test_the_learner_is_the_account(site, someone, provider):
    ann, ben = someone(), someone()
    open_page(ann, site)
    assert drawn(ann) == (["Sign in to practice"], ["Sign in"], 0)
    sign_in(ann, "Ann Miller")
    open_page(ann, site, "quiz")
    name_cell(ann, "1")
    open_page(ann, site)
    ann.get_by_text("1 cell named").wait_for()

    open_page(ben, site)
    sign_in(ben, "Ben Okoro")
    assert ben.get_by_text("cell named").count() == 0
    # Another's id in the address makes nobody another.
    open_page(ben, site, f"?learner={learner_id(site, 'Ann Miller')}")
    ben.get_by_text("Practicing as Ben Okoro").wait_for()
    assert ben.get_by_text("cell named").count() == 0
    open_page(ben, site, f"quiz?learner={learner_id(site, 'Ann Miller')}")
    name_cell(ben, "1")
    counts = dict(
        stored(site, "SELECT name, count(choice) FROM questions JOIN learners ON learner = learners.id GROUP BY name")
    )
    assert counts == {"Ann Miller": 1, "Ben Okoro": 1}

    open_page(ann, site)
    sign_out(ann)
    assert provider.ended == 1
    # It has ended for every page and after a reload, and for her alone.
    open_page(ann, site, "quiz")
    assert drawn(ann) == (["Sign in to practice"], ["Sign in"], 0)
    open_page(ben, site)
    ben.get_by_text("Practicing as Ben Okoro").wait_for()

    open_page(ann, site)
    sign_in(ann, "Ann Miller")
    ann.get_by_text("1 cell named").wait_for()
    assert len(stored(site, "SELECT id FROM learners")) == 2


def test_what_is_stored_is_an_id_and_a_name(site, someone):
    page = someone()
    open_page(page, site)
    sign_in(page, "Ann Miller")
    home = Path(site.environment["HEMATOVISION_HOME"])
    kept = b"".join(path.read_bytes() for path in home.glob("hematovision.sqlite*"))
    assert b"Ann Miller" in kept and b"ann@example.edu" not in kept
    assert len(learner_id(site, "Ann Miller")) == 64
    # As Streamlit sets it: no script reads it, but only HTTPS keeps it from others (docs/sign_in.md).
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "_streamlit_user"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (True, "Lax", False)
