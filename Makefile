# Two commands for a newcomer: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
.DEFAULT_GOAL := help

.PHONY: help install demo test test-kill check coverage fmt lint types bench fuzz wheel-check lock image clean
help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(STAMP): requirements-dev.txt pyproject.toml
	@echo "Setting up $(VENV) (once; a few minutes on a slow line) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

install: $(STAMP) ## Create .venv with everything in it

demo: $(STAMP) ## See a whole investigation in a local Slack; no account, key or server needed
	@$(BIN)/incident-responder demo

test: $(STAMP) ## Run the whole suite
	$(BIN)/python -m pytest

test-kill: $(STAMP) ## Kill processes and servers 200 times; nothing may be lost or said twice
	KILLS=200 $(BIN)/python -m pytest tests/kill -s

fmt: $(STAMP) ## Format and sort
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(STAMP) ## ruff and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

coverage: $(STAMP)
	$(BIN)/python -m pytest --cov --cov-report=term

check: lint types coverage ## Everything that CI runs

bench: $(STAMP) ## Measure: figures from real workloads
	$(BIN)/incident-responder bench all

fuzz: $(STAMP) ## Throw bytes at the parsers for a minute
	$(BIN)/python -m tests.fuzz --seconds 60

wheel-check: $(STAMP) ## Build the wheel, install it into an empty environment and run it
	@rm -rf dist && PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf $(VENV)/empty && $(PYTHON) -m venv $(VENV)/empty
	@$(VENV)/empty/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@$(VENV)/empty/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dist/*.whl
	@cd / && $(abspath $(VENV))/empty/bin/incident-responder demo >/dev/null && echo "the wheel works"
	@rm -rf $(VENV)/empty dist

lock: ## Renew requirements*.txt (needs uv)
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra aws --extra celery -q pyproject.toml -o requirements.txt
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra aws --extra celery -q pyproject.toml --group dev -o requirements-dev.txt

image: ## Build the container image
	docker build -t incident-responder .

clean: ## Remove what can be made again
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
