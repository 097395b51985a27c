"""The README says what is true: its figures are those of the card, its commands and paths exist."""

import json
import re
import shlex

import pytest

from hematovision import cli
from hematovision.cells import display_name
from hematovision.settings import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def percent(share: dict) -> str:
    low, high = share["interval"]
    return f"{share['value']:.1%} ({low:.1%} to {high:.1%}), n = {share['n']:,}".replace("%", " %")


def test_the_figures_are_those_of_the_card():
    metrics = json.loads((ROOT / "model" / "card.json").read_text())["metrics"]
    test, bccd = metrics["test"], metrics["bccd"]
    attributes, read = test["attributes"], bccd["second_reading"]
    rows = [
        f"| 8 classes, PBC `test` | {percent(test['accuracy'])} |",
        f"| core four, answers among the four | {percent(test['core_four']['answers_among_four'])} |",
        f"| core four, answers among all eight | {percent(test['core_four']['answers_among_eight'])} |",
        "| 11 attributes, mean accuracy / macro-F1 | "
        + f"{attributes['mean_accuracy']:.1%} / {attributes['mean_macro_f1']:.1%}, n = {attributes['n']:,} |".replace(
            "%", " %"
        ),
        f"| core four in BCCD fields, a laboratory never trained on | {percent(bccd['core_four_accuracy'])} |",
        f"| the same by a second reading of its eosinophils | {percent(read['core_four_accuracy'])} |",
    ]
    missing = [row for row in rows if row not in README]
    assert not missing, "README.md should say:\n" + "\n".join(rows)


def test_the_figures_of_drawn_cells_are_those_that_were_measured():
    measured = json.loads((ROOT / "docs" / "drawn_cells.json").read_text())
    recognized = measured["recognized"]
    lowest = min(recognized["by_class"], key=recognized["by_class"].__getitem__)
    rows = [
        f"| drawn class named, of all 8 | {recognized['all_eight']:.1%} |",
        f"| the core four, answers among all 8 | {recognized['core_four']:.1%} |",
        f"| the class that is hardest to it: {lowest.replace('_', ' ')} | {recognized['by_class'][lowest]:.0%} |",
        f"| refused as not blood | {measured['not_blood']} |",
        f"| attributes seen as drawn, mean | {measured['attributes_agree']:.1%} |",
        f"| a drawing of 256 × 256 takes | {measured['milliseconds']:.0f} ms |",
    ]
    text = (ROOT / "docs" / "drawing.md").read_text(encoding="utf-8")
    missing = [row for row in (row.replace("%", " %") for row in rows) if row not in text]
    assert not missing, "docs/drawing.md should say:\n" + "\n".join(missing)


def test_the_classes_left_out_are_told_as_they_were_measured():
    measured = json.loads((ROOT / "docs" / "leave_one_class_out.json").read_text())
    rows = [
        f"| {display_name(label)} | {found['auroc']:.3f} | {found['unfamiliar']['left_out']:.0%} |".replace("%", " %")
        for label, found in measured["classes"].items()
    ]
    rows.append(f"| mean of the {len(rows)} | {measured['mean_auroc']:.3f} | |")
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    missing = [row for row in rows if row not in text]
    assert not missing, "docs/training.md should say:\n" + "\n".join(missing)


def test_every_path_in_the_map_of_the_house_exists():
    house = README.split("## The house")[1]
    for line in house.splitlines():
        match = re.match(r"    (  )?([\w./]+)(?:  ([\w./]+))?   ", line)
        if match:
            parent = ROOT / "hematovision" if match[1] else ROOT
            assert all((parent / name).exists() for name in match.groups()[1:] if name), line


TRAINING = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", re.findall(r"python -m hematovision ([^`\n]+)", README + TRAINING))
def test_every_command_is_understood(line):
    words = [word for word in shlex.split(line.split("     ")[0]) if not word.startswith(("[", "auto|"))]
    if "--help" not in words:
        cli._parser().parse_args(words)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
