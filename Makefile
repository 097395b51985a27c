# `make run` and `make test` do all the set-up. Windows: see the plain lines in README.md.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: run test check clean

run: .venv/.run
	$(BIN)/python -m hematovision serve

# Two at a time, file by file: with one, the second of two cores waits.
test: .venv/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_house_rules.py

clean:
	rm -rf .venv

# The stamps are newer than the requirements that were installed: a second start installs nothing.
.venv/.run: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/.dev: requirements-dev.txt .venv/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
