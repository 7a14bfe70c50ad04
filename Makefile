# One truth for people, the pre-commit hook and CI. `make` alone lists what there is.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
READY := $(VENV)/.ready

help: ## list the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

up: $(READY) ## a cluster if needed, the chart, the examples; then call one tool of each
	@$(BIN)/python -m scripts.up

down: ## end what `make up` started
	@$(PYTHON) -m scripts.down

test: check components cluster-tools ## everything: checks, unit, integration, and e2e on the cluster of `make up`
	@$(BIN)/pytest -q tests/unit tests/contract
	@$(BIN)/pytest -q tests/integration tests/conformance
	@$(BIN)/python -m scripts.up
	@$(BIN)/pytest -q tests/e2e

check: $(READY) ## format, lint, types, import directions, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m scripts.generate --check

test-unit: $(READY) ## tests without processes or servers
	@$(BIN)/pytest -q tests/unit tests/contract

test-integration: components cluster-tools ## tests against real processes, a real registry, a real API server
	@$(BIN)/pytest -q tests/integration

leaks: components ## nothing is left behind by CALLS calls of each kind that trap, run out of memory, are cancelled
	@WASMOOR_LEAK_CALLS=$(or $(CALLS),100000) $(BIN)/pytest -q -s tests/integration/telemetry/test_leaks.py

conformance: components ## the official MCP conformance suite and the Inspector against a real pod; needs npm
	@$(BIN)/pytest -q tests/conformance

test-e2e: $(READY) ## tests on the cluster of `make up`
	@$(BIN)/pytest -q tests/e2e

components: $(READY) ## build the example components and the tests' own from source
	@$(PYTHON) examples/build.py

cluster-tools: ## build Kubernetes, etcd and helm from pinned modules, once
	@$(PYTHON) -m tests.cluster install

registry: components ## a registry on this machine with the examples in it, for `wasmoor serve -f examples/`
	@$(PYTHON) -m tests.cluster registry up
	@$(BIN)/python -m scripts.push

images: ## build both images without a container engine
	@$(PYTHON) -m tests.cluster images

bench: components ## measure beside a plain server on the SDK; PEER=path measures Wassette too, ROUNDS=n fewer rounds
	@$(BIN)/python -m bench $(if $(PEER),--peer $(PEER)) $(if $(ROUNDS),--rounds $(ROUNDS))

generate: $(READY) ## write the CRDs, their copies in the chart, and the reference pages
	@$(BIN)/python -m scripts.generate

format: $(READY) ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(READY) ## lock the dependencies anew from pyproject.toml
	@for extra in operator runtime; do $(BIN)/uv pip compile -q pyproject.toml --extra $$extra $(LOCK) -o requirements/$$extra.txt; done
	@$(BIN)/uv pip compile -q pyproject.toml --extra operator --extra runtime --extra otel --extra dev $(LOCK) -o requirements/dev.txt
	@$(BIN)/uv pip compile -q requirements/build.in $(LOCK) -o requirements/build.txt
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

hooks: $(READY) ## run `make check` before every commit
	@printf '#!/bin/sh\nexec make check\n' > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit

clean: down ## end everything and remove what this checkout built
	@rm -rf .wasmoor $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(READY): requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Wasmoor needs Python 3.11 or newer: set PYTHON=")'
	@echo "installing the locked Python dependencies into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements/dev.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --no-build-isolation --no-deps -e .
	@touch $@

.PHONY: help up down test check test-unit test-integration leaks conformance test-e2e components cluster-tools registry images bench generate \
	format lock hooks clean
