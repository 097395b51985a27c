"""How the server is set up, and whether its colors can be read."""

import tomllib

import pytest

from hematovision.settings import ROOT, Settings

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2) of `#rrggbb`."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_and_white():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_links_and_buttons_have_enough_contrast(scheme):
    theme = CONFIG["theme"][scheme]
    background, panel = theme["backgroundColor"], theme["secondaryBackgroundColor"]
    assert min(contrast(theme["textColor"], background), contrast(theme["textColor"], panel)) >= 7
    assert min(contrast(theme["linkColor"], background), contrast(theme["linkColor"], panel)) >= 4.5
    assert contrast("#ffffff", theme["primaryColor"]) >= 4.5  # the words on a primary button
    assert contrast(theme["primaryColor"], background) >= 3  # its outline


def test_the_server_keeps_to_this_machine():
    assert CONFIG["browser"]["gatherUsageStats"] is False
    server = CONFIG["server"]
    assert server["address"] == "localhost" and server["enableXsrfProtection"] is True
    assert server["maxUploadSize"] == 50


def test_settings_come_from_the_environment_and_are_frozen(monkeypatch, tmp_path):
    monkeypatch.setenv("HEMATOVISION_HOME", str(tmp_path))
    monkeypatch.setenv("HEMATOVISION_DATA", "")
    settings = Settings()
    assert settings.database.parent == tmp_path and settings.data is None
    with pytest.raises(ValueError, match="frozen"):
        settings.home = tmp_path / "other"
