"""The plan of the house, checked: what may import what, and what must not be written."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "hematovision"

LAYERS = {
    "errors": 0, "files": 0, "spreadsheet": 0, "settings": 1, "cells": 1,
    "images": 2, "content": 2, "smear": 3, "quiz": 3,
    "vision": 4, "library": 5, "storage": 5, "exchange": 5,
    "training": 6, "services": 6,
    "cli": 7, "api": 7, "ui": 7,
}  # fmt: skip
DOORS = {"cli", "api", "ui"}
TENSORFLOW = {"tensorflow", "keras", "tf_keras_vis"}
MAY_USE_TENSORFLOW = ("training/", "vision/gradients.py")
# The command line is the door of training, which only trainers open, and starts the other doors.
ALLOWED = {("cli/training.py", "training"), ("cli/__init__.py", "ui")}


def sources() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "streamlit_app.py"])


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else path.relative_to(ROOT))


def room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "hematovision" and len(parts) > 1 and parts[1] in LAYERS else None


@pytest.mark.parametrize("path", sources(), ids=name)
def test_imports_run_down_only(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py") if path.is_relative_to(PACKAGE) else "pages"
    for module in imports(path):
        other = room(module)
        if other is None or other == own or (name(path), other) in ALLOWED:
            continue
        if own in LAYERS:
            assert LAYERS[other] <= LAYERS[own], f"{name(path)} imports {module}: move what it needs down a floor"
        assert not (own in DOORS and other in DOORS), f"{name(path)}: doors do not import each other"
        if own in DOORS | {"pages"}:
            assert other not in {"storage", "training"}, f"{name(path)} imports {module}: ask a service instead"


@pytest.mark.parametrize("path", sources(), ids=name)
def test_tensorflow_streamlit_and_sql_have_their_rooms(path):
    tops = {module.split(".")[0] for module in imports(path)}
    if not name(path).startswith(MAY_USE_TENSORFLOW):
        assert not tops & TENSORFLOW, f"{name(path)}: TensorFlow belongs in training/ and vision/gradients.py"
    if not name(path).startswith(("ui/", "pages/", "streamlit_app.py")):
        assert "streamlit" not in tops, f"{name(path)}: Streamlit belongs in ui/ and pages/"
    if not name(path).startswith("storage/"):
        assert not tops & {"sqlalchemy", "alembic", "sqlite3"}, f"{name(path)}: SQL belongs in storage/"


@pytest.mark.parametrize("path", sources(), ids=name)
def test_errors_are_never_swallowed_by_the_dozen(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else ""
            assert caught not in ("", "Exception", "BaseException"), f"{name(path)}:{node.lineno}: name the errors"


@pytest.mark.parametrize("path", sources(), ids=name)
def test_only_settings_reads_the_environment(path):
    text = path.read_text()
    if name(path) not in ("settings.py", "vision/gradients.py", "cli/training.py"):
        assert "os.environ" not in text and "getenv" not in text, f"{name(path)}: add a field to Settings"


@pytest.mark.parametrize("path", sources(), ids=name)
def test_files_stay_short_enough_to_hold_in_mind(path):
    limit = 120 if name(path).startswith("pages/") else 400
    assert len(path.read_text().splitlines()) <= limit, f"{name(path)} is two files"
    assert path.stem not in {"utils", "helpers", "manager", "common", "misc"}, f"{name(path)}: a name from the bench"


def test_pages_lie_in_subfolders_and_start_with_start_page():
    """A file directly in pages/ is served by Streamlit before the entry script has run."""
    assert not list((ROOT / "pages").glob("*.py"))
    for path in (ROOT / "pages").rglob("*.py"):
        assert "start_page(" in path.read_text(), f"{path.name} must begin with start_page"


def test_requirements_are_pinned_exactly():
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text().splitlines():
            assert line.startswith(("#", "-r ")) or re.match(r"[\w.-]+==[\w.]+(; .+)?$", line), line


def test_no_photograph_is_in_the_repository():
    """Pictures of the data sets are JPEG; screenshots of drawn cells are PNG; WebP are the drawn cells."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert listed and not [f for f in listed if f.lower().endswith((".jpg", ".jpeg", ".bmp", ".h5", ".csv"))]
    manifest = ROOT / "quiz_bank" / "labels.jsonl"
    rows = [json.loads(line) for line in manifest.read_text().splitlines()] if manifest.is_file() else []
    drawn = {f"quiz_bank/{row['file']}" for row in rows if row["source"] == "drawn by HematoVision"}
    shown = {"docs/drawn_cells.webp", "docs/quiz.webp", "docs/lab.webp"}
    assert not {f for f in listed if f.lower().endswith(".webp")} - drawn - shown


@pytest.mark.parametrize("path", sorted((PACKAGE / "ui").glob("*/*.py")), ids=name)
def test_groups_of_pages_know_nothing_of_each_other(path):
    group, groups = path.parent.name, {folder.name for folder in (PACKAGE / "ui").iterdir() if folder.is_dir()}
    # An instructor's preview is what a student sits before.
    allowed = {group} | ({"learn"} if path.name == "set_views.py" else set())
    found = {part for module in imports(path) if (part := (module.split(".") + [""] * 3)[2]) in groups - allowed}
    assert not found, f"{name(path)} imports from ui/{found}: what both use belongs beside the folders"
