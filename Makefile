# nyala: `make demo` and `make test` do all their own set-up on a machine with Python 3.11+, make and git.
.PHONY: setup setup-demo demo test check format bench docs clean
PY ?= python3
BIN := .venv/bin

setup: .venv/dev.stamp  ## everything for developing: tests, benches, real load data
setup-demo: .venv/demo.stamp

.venv/bin/uv: requirements/bootstrap.txt
	$(PY) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	touch $@

.venv/dev.stamp: .venv/bin/uv requirements/dev.txt pyproject.toml
	$(BIN)/uv pip sync -q --require-hashes requirements/dev.txt
	$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	touch $@ .venv/demo.stamp

.venv/demo.stamp: .venv/bin/uv requirements/demo.txt pyproject.toml
	$(BIN)/uv pip sync -q --require-hashes requirements/demo.txt
	$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	touch $@

check: setup  ## what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

test: setup
	$(BIN)/pytest

format: setup
	$(BIN)/ruff check --fix-only -q . ; $(BIN)/ruff format -q .

clean:
	rm -rf .venv build dist web/node_modules src/nyala/api/static .mypy_cache .ruff_cache .pytest_cache .hypothesis
