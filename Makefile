# On a machine with Python 3.11 or newer and a package registry:
#   make demo      train, export, simulate, calibrate and report, once through
#   make check     lint, types and the fast tests: before every commit
#   make test      lint, types and every test: before every merge
#   make coverage  every test, and the share of statements they reach
#   make models    the shipped students anew, seed 0 of each recipe: 10 minutes, all databases
#   make seeds     five seeds of every recipe, and the tables of results: an hour, all databases

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# LOCK=requirements-dev.lock takes the versions that the maintainers work with.
LOCK ?=
COVERED ?= 96
RUFF := ecgphoton tests benchmarks docs/hooks examples
# Small products on one thread: several would wait for each other, and for the other workers.
export OMP_NUM_THREADS ?= 1
# Compiled modules and tests are kept, since each of many processes would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo check test fast all coverage lint types lock test-peers bench models seeds docs clean

demo: $(VENV)/.ready
	$(BIN)/ecgphoton demo
	@echo 'next: source $(BIN)/activate puts ecgphoton on the path; docs/tutorial.md goes on'

check: $(VENV)/.ready
	@$(MAKE) --no-print-directory -j $(WORKERS) -O lint types fast

test: $(VENV)/.ready
	@$(MAKE) --no-print-directory -j $(WORKERS) -O lint types all

fast: $(VENV)/.ready
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m 'not slow'

all: $(VENV)/.ready
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

coverage: $(VENV)/.ready
	$(BIN)/python -m pip install -q --group coverage
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal --cov --cov-fail-under=$(COVERED)

lint: $(VENV)/.ready
	$(BIN)/ruff check $(RUFF)
	$(BIN)/ruff format --check $(RUFF)

types: $(VENV)/.ready
	$(BIN)/mypy

lock: $(VENV)/.ready
	$(BIN)/python -m pip install -q uv
	{ echo '# Made by `make lock`; torch and what it brings are apart, as they differ by machine.'; \
	  $(BIN)/uv pip compile -q pyproject.toml --all-extras --group test --group lint --group docs \
	    --group coverage --universal --python-version 3.11 --no-header --no-annotate \
	  | grep -Ev '^(torch|triton|cuda|nvidia)'; } > requirements-dev.lock

test-peers: $(VENV)/.ready
	$(BIN)/python -m pip install -q --group peers
	$(BIN)/python -m pytest -q -m peers tests/peers

bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks

# Seed 0 of each recipe is shipped; all seeds give the tables. Finished runs are kept.
SHIPPED := inter-patient inter-patient-4 reference-8 reference-rhythm
RECIPES := $(SHIPPED)
SEEDS ?= 0 1 2 3 4
runs/final/%/manifest.json: | $(VENV)/.ready
	name=$*; $(BIN)/ecgphoton train --recipe $${name%-*} --seed $${name##*-} --out runs/final/$*

models: $(SHIPPED:%=runs/final/%-0/manifest.json)
	$(BIN)/python -m benchmarks ship $(^D)

seeds: $(foreach seed,$(SEEDS),$(RECIPES:%=runs/final/%-$(seed)/manifest.json))
	$(BIN)/python -m benchmarks results $(^D) --on svdb --write

docs: $(VENV)/.ready
	$(BIN)/python -m pip install -q --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ecgphoton needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q $(if $(LOCK),-c $(LOCK)) -e . --group test --group lint
	touch $@

# What can be built again, and nothing else: runs, bundles and demos are their owner's.
clean:
	rm -rf $(VENV) site build dist *.egg-info .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .ruff_cache .pytest_cache
	find ecgphoton tests benchmarks docs examples -name __pycache__ -type d -prune -exec rm -rf {} +
