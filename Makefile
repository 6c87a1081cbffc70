# nyala: `make demo` and `make test` do all their own set-up on a machine with Python 3.11+, make and git.
.PHONY: setup setup-demo demo test lint check format bench mutation docs clean
PY ?= python3
BIN := .venv/bin
WEB := $(shell find web/src web/public web/index.html web/package-lock.json web/vite.config.ts -type f 2>/dev/null)
PORTAL := src/nyala/api/static/index.html

setup: .venv/dev.stamp $(PORTAL)  ## everything for developing: tests, benches, real load data, the portal

setup-demo: .venv/demo.stamp $(PORTAL)  ## what the demo needs, and no more

demo: setup-demo  ## a living fleet with its centre and portal; prints URL and logins
	$(BIN)/nyala demo $(DEMO)

test: setup  ## all tests
	$(BIN)/pytest
	$(BIN)/pytest -n 0 tests/e2e  # by themselves: Playwright keeps a loop of its own running

lint: setup  ## format, lint, types, arrows, docs, portal
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/make.py --check
	$(BIN)/python hatch_build.py run check

check: lint test  ## what CI runs

format: setup
	$(BIN)/ruff check --fix-only -q . ; $(BIN)/ruff format -q .

bench: setup  ## all benchmarks
	for name in metrology fleet lorawan downlink capacity telegram ingest; do $(BIN)/nyala bench $$name; done

mutation: setup  ## changes the code line by line and names what no test sees; not part of CI
	$(BIN)/python -m tests.mutation.run $(MUTATION)

docs: setup  ## makes the generated pages anew
	$(BIN)/python docs/make.py

clean:
	rm -rf .venv build dist web/node_modules src/nyala/api/static .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/uv: requirements/bootstrap.txt
	$(PY) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	touch $@

.venv/dev.stamp: .venv/bin/uv requirements/dev.txt pyproject.toml
	$(BIN)/uv pip sync -q --require-hashes requirements/dev.txt
	$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	$(BIN)/python -m nyala.meter.warm
	$(BIN)/python -m nyala.telegram.warm
	touch $@ .venv/demo.stamp

.venv/demo.stamp: .venv/bin/uv requirements/demo.txt pyproject.toml
	$(BIN)/uv pip sync -q --require-hashes requirements/demo.txt
	$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	touch $@

$(PORTAL): $(WEB) hatch_build.py | .venv/bin/uv
	$(BIN)/python hatch_build.py
	touch $@
