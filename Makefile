SHELL := bash
# Two commands: `make run` and `make test`. Both set up all they need in .venv first.

PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
# The tests of a file share what it makes, so that they stay together; files come in the order of tests/conftest.py.
AT_ONCE := --numprocesses 2 --dist loadfile --no-loadscope-reorder
SNAKEMAKE := PATH="$(BIN):$$PATH" snakemake

.PHONY: run test test-slow lint docs constraints clean

run: .venv/workflow
	$(SNAKEMAKE) --cores all

test: .venv/development
	PATH="$(BIN):$$PATH" pytest $(AT_ONCE) -m "not slow" tests/unit tests/workflow tests/integration

test-slow: .venv/development
	PATH="$(BIN):$$PATH" pytest $(AT_ONCE) -m "slow $(BUT)" tests

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	$(SNAKEMAKE) --lint

docs: .venv/workflow
	$(BIN)/tomtransfer reference

# What is installed when nothing but pyproject.toml is asked for; to be made anew when a pin there changes.
constraints:
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --editable '.[development]'
	{ grep '^#' constraints.txt; \
	  $(BIN)/pip freeze --exclude-editable | grep -vE '^(nvidia|cuda|triton)' | \
	    grep -vif <(grep -oE '"[A-Za-z0-9_.-]+==' pyproject.toml | sed 's/"/^/'); \
	} > .venv/constraints.txt
	mv .venv/constraints.txt constraints.txt

.venv/workflow: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[workflow]' --constraint constraints.txt
	touch $@

.venv/development: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[development]' --constraint constraints.txt
	touch $@ .venv/workflow

clean:
	rm -rf .venv .snakemake
