.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# The first Python that is new enough and can make a virtual environment.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; exit; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help env venv demo ui up down report test test-long test-faults test-clusters test-security test-clients test-ui screenshots compose-test conformance bench bench-copy bench-backfill lint format docs measure lock lock-clients audit clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(READY) ## Make .venv with the locked packages (done by every target that needs it)

# Whatever has no hash in the lock, or another one, is not installed; wheels only, so that no code of a package
# runs meanwhile. pip, which is Python's own, begins with uv's entry of the same lock.
UV_BY_HASH = sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt | $(BIN)/python -m pip install --quiet \
	--disable-pip-version-check --only-binary :all: --require-hashes --requirement /dev/stdin

# The stamp is written last: an installation cut short is taken up again by the next make.
$(READY): requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "No Python >= 3.11 with venv found. Install it (Debian: apt install python3-venv) or run: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the locked packages into $(VENV) (about 850 MB, once)"
	@$(UV_BY_HASH)
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --no-build --require-hashes requirements-dev.txt
	@touch $@

env: ## Write .env, the secrets and settings of docker-compose, unless it is there
	@$(PYTHON) -m containers.make_env

demo: $(READY) ## Sample data in, one month loaded, the warehouse on the screen
	@$(BIN)/python -m sandbox demo

ui: $(READY) ## Airflow in the browser, with the sandbox and a sample month
	@$(BIN)/python -m sandbox ui

up: $(READY) ## Start the sandbox: S3 and a Redshift endpoint on this machine
	@$(BIN)/python -m sandbox up

down: $(READY) ## Stop the sandbox and Airflow; the warehouse stays on disk
	@$(BIN)/python -m sandbox down

# Of the sandbox, unless the environment has a connection.
report: $(READY) ## The state of the warehouse as one HTML page (OUT=FILE: where; of the sandbox's, if no other is set)
	@test -n "$${AIRFLOW_CONN_REDSHIFT_DEFAULT:-}" || eval "$$($(BIN)/python -m sandbox env)"; \
		PYTHONPATH=plugins:dags $(BIN)/python -m sparkify_watch.report --out $(or $(OUT),build/warehouse.html)

# Three processes on two processors: tests wait for servers a third of the time.
test: $(READY) ## Run the tests against the real parts
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not long and not compose"

test-long: $(READY) ## Run what make test leaves out of the pipeline's and the sandbox's tests because it takes long
	@$(BIN)/python -m pytest -n 2 --dist loadfile -v --durations 10 -m "long and not compose" tests/sparkify tests/sparkify_watch tests/sandbox tests/system

test-faults: $(READY) ## Run every fault scenario, the long ones too
	@$(BIN)/python -m pytest -n 2 --dist load --maxschedchunk 1 -v --durations 10 tests/faults

test-clusters: $(READY) ## Run the cluster DAGs under a scheduler, the long runs too
	@$(BIN)/python -m pytest -v tests/system/test_cluster_dags.py tests/system/test_serverless_dags.py tests/sparkify/cluster

compose-test: $(READY) ## Build the images and run the containers (root, Docker; PART='not long' for a short part)
	@$(BIN)/python -m pytest -v --durations 15 -m "compose and $(or $(PART),compose)" tests/compose

conformance: $(READY) ## Say where a cluster answers otherwise than docs/sandbox.md says (TARGET='redshift://user:password@host/db')
	@test -n "$(TARGET)" || { echo "Name the cluster: make conformance TARGET='redshift://user:password@host:5439/database'" >&2; exit 2; }
	@$(BIN)/python -m tests.sandbox.conformance '$(TARGET)'

test-security: $(READY) ## Attack what docs/security.md names, the long attacks too (SELECT="-m long": only these)
	@$(BIN)/python -m pytest -v --durations 10 $(SELECT) tests/security

test-clients: $(READY) ## Use the sandbox with the clients of docs/sandbox.md, each from its own lock (1.5 GB, installed once)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -v --durations 10 tests/clients

test-ui: $(READY) ## Use Airflow's web UI in a browser, as a person does (SELECT="-m long": what make test leaves out)
	@$(BIN)/python -m pytest -v $(SELECT) tests/ui tests/sandbox/airflow/test_ui.py

# What the tests of the web UI see, chosen for the README.
PICTURES := trigger graph backfill-form broken-file warehouse-map warehouse-pick warehouse-answers warehouse-rejected \
	warehouse-correct warehouse-viewer
screenshots: $(READY) ## Make the pictures in docs/images again
	@SPARKIFY_SCREENSHOTS=build/screenshots $(BIN)/python -m pytest -v tests/ui
	@mkdir -p docs/images
	@cp $(PICTURES:%=build/screenshots/%.png) docs/images/

bench: $(READY) ## What an hour costs with 10 thousand to 10 million facts, and with a million song files (half an hour, 20 GB)
	@$(BIN)/python -m bench $(BENCH)
	@$(BIN)/python -m bench.statements
	@$(BIN)/python -m bench.catalogue
	@$(BIN)/python -m bench.readers

bench-copy: $(READY) ## COPY of 1.2 million events beside PostgreSQL's own and dlt's (BENCH="--events 100000": of fewer)
	@$(BIN)/python -m bench.copying $(BENCH)

bench-backfill: $(READY) ## A day backfilled, beside a DAG of the same shape with empty tasks (a quarter of an hour)
	@$(BIN)/python -m bench.backfill

lint: $(READY) ## ruff, mypy --strict and sqlfluff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy dags
	@$(BIN)/sqlfluff lint --disable-progress-bar include plugins

format: $(READY) ## Format Python and SQL
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --disable-progress-bar include plugins

docs: $(READY) ## Write the pages of docs/ that are made from the code
	@$(BIN)/python docs/generate.py

measure: $(READY) ## Words, lengths, imports and duplicates of the pipeline's code, and lengths of all files, against their limits
	@$(BIN)/python docs/measure.py

# One lock for users and one for developers, which contains the first; and what images add to the first.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --generate-hashes
lock: ## Resolve pyproject.toml into exact requirements*.txt
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(UV_BY_HASH); }
	@$(BIN)/$(LOCK) $(UPGRADE) pyproject.toml -o requirements.txt
	@$(BIN)/$(LOCK) $(UPGRADE) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	@$(BIN)/$(LOCK) $(UPGRADE) --group celery -c requirements.txt -o requirements-celery.txt
	@$(BIN)/$(LOCK) $(UPGRADE) --group sandbox -c requirements-dev.txt -o requirements-sandbox.txt

# node's lock names no registry.
lock-clients: $(READY) ## Resolve tests/clients/*/requirements.in, and node's package.json, into their locks
	@for file in tests/clients/*/requirements.in; do \
		echo "$$file"; $(BIN)/$(LOCK) --no-build $(UPGRADE) $$file -o $${file%.in}.txt; done
	@cd tests/clients/node && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund

audit: $(READY) ## Ask a database of vulnerabilities for each locked package (AUDIT='--vulnerability-service osv': another)
	@$(BIN)/python -m containers.audit $(AUDIT)

clean: ## Stop the sandbox and remove what make made (environment, warehouse, caches)
	@if test -d .sandbox && test -x $(BIN)/python; then $(BIN)/python -m sandbox down; fi
	@rm -rf $(VENV) .sandbox build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
