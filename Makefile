# graphmigrate: `make help` lists the targets.
SHELL := /bin/bash
export GRAPHMIGRATE_SERVER_STOP := make stop
VENV := .venv
WORKERS ?= $(if $(GRAPHMIGRATE_TEST_URI),0,auto) # a server that is given cannot be shared by processes
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3 python,$(shell command -v $(name) 2>/dev/null)))

.PHONY: help program install migrate seed stop test test-matrix test-drivers test-pythons bench chaos ci audit reference docs lint format release-check clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.running: pyproject.toml requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing. Install it: apt-get install python3 python3-venv (Debian), brew install python (macOS)." >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$("$(PYTHON)" -V) is too old; Python 3.11 or newer is needed. Say which: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing. Install it: apt-get install python3-venv" >&2; exit 2; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@echo "Installing graphmigrate and requirements.txt into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.developing: requirements-dev.txt $(VENV)/.running
	@echo "Installing requirements-dev.txt (tests, lint, documentation) into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

program: $(VENV)/.running

install: $(VENV)/.developing ## make the virtualenv in .venv and install everything that tests and lint need

migrate: program ## apply migrations/ (to NEO4J_URI, else to a local real Neo4j that is started here)
	@scripts/with-neo4j $(BIN)/graphmigrate migrate
	@$(if $(filter seed,$(MAKECMDGOALS)),:,$(BIN)/graphmigrate summary)

seed: program ## load the sample graph
	@scripts/with-neo4j $(BIN)/graphmigrate seed >/dev/null # its totals are in the summary
	@$(BIN)/graphmigrate summary

stop: program ## stop the local Neo4j
	@$(BIN)/graphmigrate server stop

test: install ## run every test against a real Neo4j, in two to four processes (WORKERS=0: in one)
	@$(BIN)/python -m pytest -n $(strip $(WORKERS)) --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations 15 $(PYTEST_ARGS)

test-matrix: install ## run every test on every version of Neo4j (make test: those that depend on the version)
	@$(MAKE) test PYTEST_ARGS="--everywhere $(PYTEST_ARGS)"

ci: install ## what the GitHub Action does, here: database, validate, plan, migrate, seed, then lint and every test
	@PATH="$(abspath $(BIN)):$$PATH" INPUT_TEST="$${INPUT_TEST:-make lint test}" scripts/ci/all

test-drivers: install ## run the tests that lean on the driver with its lowest and its newest version
	@scripts/test-drivers

test-pythons: ## run the tests that lean on Python itself with every other Python that is there
	@scripts/test-pythons

audit: install ## look for known vulnerabilities of what a user installs
	@scripts/audit

reference: install ## write what the documentation takes from the code
	@$(BIN)/python scripts/reference

docs: install ## build the documentation's site into build/site and check its links
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	@$(BIN)/python scripts/docs

bench: install ## measure against a real Neo4j that is started and stopped here; prints one table (BENCH=name: only that)
	@$(BIN)/python -m benchmarks $(BENCH)

chaos: install ## the whole fault campaign (hours; docs/reliability.md is its report)
	@$(BIN)/python -m tests.chaos

lint: install ## ruff, codespell, mypy --strict and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/unit/test_architecture.py

release-check: ## build wheel and sdist from a clean clone and install them by pip, pipx and uv (TWO_COMMANDS=yes: README's too)
	@PYTHON="$(PYTHON)" scripts/release-check

format: install ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## remove what the targets made, but not the local Neo4j's data
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
