# Each target does its own set-up: nothing is needed but Python 3.10 or later and, for an engine, Docker or the right
# to install it. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: help demo test lint docs bench bench-endpoint bench-placement clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## the main job on a real Docker Engine; KEEP=1 leaves it up
	@scripts/with-engine scripts/demo

test: lint ## check and test everything; ARGS="-k port" chooses tests
	@scripts/static-busybox >/dev/null
	@scripts/ensure-sshd
	@scripts/ensure-postgresql
	@scripts/ensure-lab
	@scripts/ensure-aws-sdk-js $(VENV)/javascript
	@command -v curl >/dev/null || scripts/install-packages "the README's commands are run as they stand" curl
	@scripts/with-engine $(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

lint: $(VENV)/.installed ## style, types, and which room may import which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed ## write docs/task-definition.md and docs/operations.md anew from the code
	@$(BIN)/python -m tests.docs

bench: $(VENV)/.installed ## ratios against docker run, Swarm, bare Python; N=30 takes more samples
	@scripts/with-engine $(BIN)/python -m benchmarks.run $(if $(N),--samples $(N))

bench-endpoint: $(VENV)/.installed ## `serve`, against moto's server
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@command -v wrk >/dev/null || scripts/install-packages "it asks servers" wrk
	@$(BIN)/python -m benchmarks.endpoint

bench-placement: $(VENV)/.installed ## placement, against a look at every host for each task
	@$(BIN)/python -m benchmarks.placement

# Compiled at once: the first run of a command would pay for it otherwise, and each run where none may be written.
$(VENV)/.installed: pyproject.toml
	@scripts/ensure-venv "$(PYTHON)" "$(VENV)"
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(BIN)/python -m compileall -q ecsctl
	@touch $@

clean: ## remove what make made here
	rm -rf $(VENV) *.egg-info build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find ecsctl tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
