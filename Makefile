# Two commands: `make run` and `make test`. Both set up all they need in .venv first.

PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
SNAKEMAKE := PATH="$(BIN):$$PATH" snakemake

.PHONY: run test test-slow lint docs constraints clean

run: .venv/workflow
	$(SNAKEMAKE) --cores all

test: .venv/development
	PATH="$(BIN):$$PATH" pytest -m "not slow" tests/unit tests/workflow tests/integration

test-slow: .venv/development
	PATH="$(BIN):$$PATH" pytest -m slow tests/workflow tests/integration

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(SNAKEMAKE) --lint

docs: .venv/workflow
	PYTHONPATH=workflow $(BIN)/python -m tomtransfer.reference

# What is installed when nothing but requirements-dev.txt is asked for; to be made anew when a pin there changes.
constraints:
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	{ grep '^#' constraints.txt; \
	  $(BIN)/pip freeze -r requirements.txt -r requirements-dev.txt | sed '1,/^## /d' | grep -vE '^(nvidia|cuda|triton)'; \
	} > .venv/constraints.txt
	mv .venv/constraints.txt constraints.txt

.venv/workflow: requirements.txt constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt --constraint constraints.txt
	touch $@

.venv/development: requirements-dev.txt requirements.txt constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements-dev.txt --constraint constraints.txt
	touch $@ .venv/workflow

clean:
	rm -rf .venv .snakemake
