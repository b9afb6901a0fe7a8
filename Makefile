# Everything from a fresh clone: a virtual environment, pinned installs, then the job.
PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
COMMA := ,
SPACE := $() $()
LOWEST_EXTRAS := geant4 onnx root tune batch
LOWEST_TESTS := tests/cli tests/files tests/simulators tests/test_events.py tests/io tests/deploy tests/runtime \
  tests/models/test_contract.py tests/drawings tests/validation tests/fullsim/test_geant4.py tests/engines tests/tuning
BIN := $(VENV)/bin
# A worker a core; the tests of a file stay together, since they share what was trained for them.
PARALLEL := -n auto --maxprocesses 8 --dist loadfile
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: quickstart check test test-lowest fuzz chaos lint types format clean

quickstart: $(VENV)/.core
	OMP_NUM_THREADS=1 $(BIN)/simulacra quickstart  # so small a network is no faster with more threads

# The developer's loop: no slow test, none of Geant4, no examples of the documentation.
check: lint types
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PARALLEL) -q -m "not slow and not geant4" tests  # as above

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PARALLEL)  # as above

# Earlier releases use what later ones beneath them will drop: their warnings are no errors.
test-lowest: $(LOWEST)/.dev
	OMP_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest -W default::DeprecationWarning $(LOWEST_TESTS)

$(LOWEST)/.dev: pyproject.toml tools/lowest_versions.py
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(LOWEST)/bin/python tools/lowest_versions.py pyproject.toml $(LOWEST_EXTRAS) > $(LOWEST)/pins
	$(LOWEST)/bin/python -m pip install --quiet -r $(LOWEST)/pins --editable ".[$(subst $(SPACE),$(COMMA),$(LOWEST_EXTRAS))]"
	touch $@

fuzz: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.robustness.fuzz --seed 1 --inputs 1000 --jobs 2

chaos: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.robustness.chaos --seed 1 --faults 160

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { \
	  echo "no virtual environment: on Debian, apt-get install python3-venv"; \
	  rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"

$(VENV)/.core: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable ".[geant4,onnx,root,tune,batch]" --group dev
	touch $@ $(VENV)/.core

clean:
	rm -rf $(VENV) $(LOWEST) .mypy_cache .ruff_cache .pytest_cache .hypothesis
