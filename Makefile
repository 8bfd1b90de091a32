# Every target does the set-up that it needs. `make` alone says what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
BOOTSTRAP := .bootstrap/bin/bootstrap
VENV := .venv
BIN := $(VENV)/bin
SOAK ?= 100
# Some workspaces set it for everybody; in a virtual environment it is an error.
export PIP_USER := 0

.PHONY: help
help: ## Say what there is
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##: using it

.PHONY: dev
dev: tool ## Run the services and see their traces (Ctrl-C stops everything)
	@$(BOOTSTRAP) init --defaults || [ $$? -eq 5 ]
	@command -v bootstrap >/dev/null || echo 'In other terminals: export PATH="$$PWD/.bootstrap/bin:$$PATH"'
	@exec $(BOOTSTRAP) up

.PHONY: down
down: tool ## Stop what runs
	@$(BOOTSTRAP) down

.PHONY: doctor
doctor: tool ## Check this machine and this project
	@$(BOOTSTRAP) doctor

.PHONY: week-start
week-start: tool ## Tag where a week begins, here and on the remote: WEEK=3
	@$(call week,start)

.PHONY: week-finish
week-finish: tool ## Tag where a week is finished, here and on the remote: WEEK=3
	@$(call week,finish)

# MESSAGE="..." is the message; FLAGS=--dry-run, or FLAGS=--edit, goes to the command.
week = if [ -z "$$WEEK" ]; then \
	  echo 'Which week? Type for example: make $@ WEEK=3' >&2; $(BOOTSTRAP) tag list --offline >&2; exit 2; fi; \
	exec $(BOOTSTRAP) tag $(1) --push $${MESSAGE:+--message "$$MESSAGE"} $(FLAGS) -- "$$WEEK"
export WEEK MESSAGE

.PHONY: tool
tool:
	@sh .devcontainer/install.sh tool

##: working on it

# The interpreter that .devcontainer/install.sh has found is the one that develops.
$(VENV)/installed: pyproject.toml constraints.txt backend-flask/requirements.txt
	@sh .devcontainer/install.sh tool
	@echo 'Installing the development tools into $(VENV) (about a minute) ...'
	@rm -rf $(VENV)
	@.bootstrap/venv/bin/python -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable . --group dev --requirement backend-flask/requirements.txt
	@touch $@

.PHONY: test
test: $(VENV)/installed ## Run the tests, all but the slow ones
	@$(BIN)/pytest -n auto -m "not slow"

.PHONY: e2e
e2e: $(VENV)/installed ## Run the slow tests: fresh clones, workspaces, containers
	@$(BIN)/pytest -n auto --dist loadfile -m slow

.PHONY: check
check: lint types imports render docs-check ## Run every check that is not a test

.PHONY: lint
lint: $(VENV)/installed ## Check style
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet || { echo 'Mend it with: make format' >&2; exit 1; }

.PHONY: format
format: $(VENV)/installed ## Put every file in shape
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format --quiet

.PHONY: types
types: $(VENV)/installed ## Check types
	@$(BIN)/mypy

.PHONY: imports
imports: $(VENV)/installed ## Check that imports point down
	@$(BIN)/lint-imports

.PHONY: render
render: $(VENV)/installed ## Check that generated files are what they should be
	@$(BIN)/bootstrap render --check --diff

.PHONY: docs
docs: $(VENV)/installed ## Write docs/cli.md and the manifest's JSON Schema
	@$(BIN)/python docs/generate.py

.PHONY: docs-check
docs-check: $(VENV)/installed
	@$(BIN)/python docs/generate.py --check

.PHONY: golden
golden: $(VENV)/installed ## Write the expected files of the rendering tests anew
	@BOOTSTRAP_GOLDEN=write $(BIN)/pytest -q tests/rendering/test_golden.py

.PHONY: soak
soak: $(VENV)/installed ## Run the tests at full counts, for hours
	@BOOTSTRAP_SOAK=$(SOAK) $(BIN)/pytest -n auto -m soak

.PHONY: bench
bench: $(VENV)/installed ## Measure speed and memory against named peers
	@$(BIN)/python -m tests.bench

.PHONY: clean
clean: ## Remove what these targets have made
	@rm -rf $(VENV) .venvs .bootstrap build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
