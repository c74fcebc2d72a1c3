# Needs Python 3.11 or newer and GNU make; everything else goes into .venv.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

include airflow.env
export $(shell cut -s -d= -f1 airflow.env)
export AIRFLOW__CORE__DAGS_FOLDER := $(CURDIR)/dags
export AIRFLOW__CORE__PLUGINS_FOLDER := $(CURDIR)/plugins

.PHONY: demo test lint types bench prove up clean

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

## Airflow on this machine only, over ONECLIENT_HOME or the list ONECLIENT_PROVIDERS; stop it with Ctrl-C.
up: export AIRFLOW_HOME := $(CURDIR)/.airflow
up: export ONECLIENT_HOME ?= $(CURDIR)/home
up: export PATH := $(CURDIR)/$(BIN):$(PATH)
up: $(READY)
	@(umask 077; mkdir -p "$$AIRFLOW_HOME" "$$ONECLIENT_HOME/inbox")
	echo "Preparing Airflow in .airflow, over $${ONECLIENT_PROVIDERS:-the home $$ONECLIENT_HOME}"
	oneclient providers --pools > "$$AIRFLOW_HOME/pools.json"
	{ airflow db migrate && airflow pools import "$$AIRFLOW_HOME/pools.json"; } &> "$$AIRFLOW_HOME/prepare.log" \
		|| { cat "$$AIRFLOW_HOME/prepare.log"; exit 1; }
	echo "In half a minute: http://127.0.0.1:8080, user admin, password in .airflow/simple_auth_manager_passwords.json.generated"
	exec airflow standalone

## Everything made here but the home: environments, demo, Airflow, caches.
clean:
	@rm -rf .venv .bench demo-home .airflow .pytest_cache .mypy_cache .ruff_cache .hypothesis
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
