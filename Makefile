# The commands of the README and of CONTRIBUTING. Everything is in .venv, which is made
# on first use; the compiled build and other interpreters have venvs of their own.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILED := .venv-compiled
PROGRAMS := .venv-programs
TYPES := .venv-types
SOURCES := pyproject.toml hatch_build.py $(shell find src -name '*.py')
DIR ?= .
# Tests mostly wait for servers, so more run at a time than there are cores.
WORKERS ?= 4
# The interpreters on which the package must work, oldest first.
PYTHONS ?= 3.11 3.12 3.13
# Otherwise each server that a test starts would compile its modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: watch test check search lint verify-types format docs deb fuzz fuzz-server bench programs growth compiled test-compiled test-all-pythons clean

watch: $(VENV)/run
	$(BIN)/gamin watch -r $(DIR)

# Side by side: mypy keeps one core busy, and the tests begin with what is compiled once.
test: $(VENV)/dev
	@$(MAKE) --no-print-directory --jobs=2 lint check

check: $(VENV)/dev
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS)

# Property and model tests with ten times as many examples, other ones in each run. What
# fails is kept in .hypothesis, and tried first the next time. SEARCH names fewer tests.
SEARCH ?= tests/models tests/unit
search: $(VENV)/dev
	GAMIN_RANDOM=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup --timeout 3600 $(SEARCH)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Fails unless pyright knows the type of every public name of the installed package.
# pyright brings Node.js from the network, so it is not among the development tools.
verify-types: $(TYPES)/built
	$(TYPES)/bin/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps .
	cd $(TYPES) && PATH="$$PWD/bin:$$PATH" bin/pyright --verifytypes gamin --ignoreexternal

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The pages of docs/ as a site in site/; a broken link or any other warning is an error.
docs: $(VENV)/dev
	$(BIN)/python -m mkdocs build --strict

# A Debian package in DIR, of the system's Python; docs/packaging.md describes it.
deb:
	packaging/make-deb $(DIR)

# A minute for each reader of bytes from outside; FUZZ_ARGS="600 bser" is longer and less.
# atheris has wheels for few interpreters, so it is not among the development tools.
fuzz: $(VENV)/dev
	$(BIN)/python -m pip install -q atheris
	$(BIN)/python -m fuzz $(FUZZ_ARGS)

# Mutated requests to a real server; FUZZ_ARGS="100000" for fewer than a million.
fuzz-server: $(VENV)/dev
	$(BIN)/python -m fuzz.live $(FUZZ_ARGS)

bench: $(VENV)/bench
	$(BIN)/python -m bench $(BENCH_ARGS)

# Real programs, each on its own engine and under `gamin exec`: their tests, and how long
# they take; PROGRAM_ARGS="--rounds 5 uvicorn" measures longer, and less.
programs: $(PROGRAMS)/ready
	$(PROGRAMS)/bin/python -m pytest -q tests/interop/test_programs.py
	PYTHONPATH=. $(PROGRAMS)/bin/python -m bench.programs $(PROGRAM_ARGS)

growth: $(VENV)/bench
	$(BIN)/python -m bench.growth --write $(BENCH_ARGS)

# The same tests with the hot modules as C extensions.
compiled: $(COMPILED)/built

test-compiled: $(COMPILED)/built
	GAMIN_COMPILED=1 $(COMPILED)/bin/python -m pytest -q -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS)

# The tests on each interpreter of PYTHONS that is installed; names the missing ones.
test-all-pythons:
	WORKERS=$(WORKERS) .ci/test-all-pythons $(PYTHONS)

clean:
	rm -rf $(VENV) $(COMPILED) $(PROGRAMS) $(TYPES) .venv-3.* bench/build site

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/bench: $(VENV)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	touch $@

# Flask's patterns match nothing with watchdog 7.
WATCHERS := uvicorn flask sphinx-autobuild pytest-watcher hupper mkdocs watchfiles 'watchdog[watchmedo]<7' django pywatchman
$(PROGRAMS)/ready: pyproject.toml
	$(PYTHON) -m venv $(PROGRAMS)
	$(PROGRAMS)/bin/python -m pip install --quiet --disable-pip-version-check --editable . $(WATCHERS) pytest pytest-timeout hypothesis
	touch $@

$(VENV)/dev: $(VENV)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

$(TYPES)/built: pyproject.toml
	$(PYTHON) -m venv $(TYPES)
	$(TYPES)/bin/python -m pip install --quiet --disable-pip-version-check pyright '.[top,fleet]' watchdog watchfiles
	touch $@

$(COMPILED)/built: $(SOURCES)
	$(PYTHON) -m venv $(COMPILED)
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(COMPILED)/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	touch $@
