# Needs Python 3.11 or newer and GNU make; everything else goes into .venv.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PORT ?= 8080

include airflow.env
export $(shell cut -s -d= -f1 airflow.env)
export AIRFLOW__CORE__DAGS_FOLDER := $(CURDIR)/dags
export AIRFLOW__CORE__PLUGINS_FOLDER := $(CURDIR)/plugins

.PHONY: demo test lint types bench prove up down clean

## The real DAG over two nights of made-up feeds, held against the known truth.
demo: $(READY)
	@$(BIN)/python demo.py

test: $(READY)
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(READY)
	@$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	@$(BIN)/mypy

bench: $(READY)
	@$(BIN)/python benchmarks/run.py

## The slow proofs, at full size.
prove: $(READY)
	@PROVE=full $(BIN)/python -m pytest -m prove

## Airflow on this machine alone: over the made-up sample, or over ONECLIENT_HOME or the list ONECLIENT_PROVIDERS.
up: $(READY)
	@$(BIN)/python up.py up $(PORT)

down:
	@[ ! -x $(BIN)/python ] || $(BIN)/python up.py down

## Everything made here but the home: environments, demo, Airflow and its sample, caches.
clean: down
	@rm -rf .venv .bench demo-home .up .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@echo "Making .venv (the first time downloads about 250 MB)"
	$(PYTHON) -m venv --clear .venv
	awk '/^[a-z]/ { of_uv = /^uv==/ } of_uv' requirements.lock > .venv/uv.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	install() { $(BIN)/uv pip install --python $(BIN)/python "$$@" 2>&1 | grep -v '^ [+~-] '; }
	install --require-hashes -r requirements.lock
	install --no-deps --no-build-isolation --editable .
	touch $@
