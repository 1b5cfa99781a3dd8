# Two commands do everything on a machine with Python 3.11 and a package registry:
#   make demo    train, export, simulate, calibrate and report, once through
#   make test    lint, types and tests

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test lint types check test-peers bench docs clean

demo: $(VENV)/.ready
	$(BIN)/ecgphoton demo
	@echo 'next: source $(BIN)/activate puts ecgphoton on the path; docs/tutorial.md goes on'

test: $(VENV)/.ready lint types
	$(BIN)/python -m pytest -n $(WORKERS) -q

lint: $(VENV)/.ready
	$(BIN)/ruff check ecgphoton tests benchmarks docs/hooks examples
	$(BIN)/ruff format --check ecgphoton tests benchmarks docs/hooks examples

types: $(VENV)/.ready
	$(BIN)/mypy

test-peers: $(VENV)/.ready
	$(BIN)/python -m pip install -q --group peers
	$(BIN)/python -m pytest -q -m peers tests/peers

bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks

docs: $(VENV)/.ready
	$(BIN)/python -m pip install -q --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ecgphoton needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -e . --group test --group lint
	touch $@

clean:
	rm -rf $(VENV) runs demo site .mypy_cache .ruff_cache .pytest_cache
