PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench fault parity fuzz package clean

demo: $(VENV)/installed  ## install, and list a model as table and as tree
	$(BIN)/paraminspect list sample_models/gpt2.yaml --limit 12
	$(BIN)/paraminspect list sample_models/gpt2.yaml --tree --depth 3

test: $(VENV)/tests-installed  ## run the tests
	$(BIN)/python -m pytest -m "not parity and not fault and not fuzz and not bench and not package"

check: $(VENV)/tests-installed  ## lint, format, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_floors.py

bench: $(VENV)/tests-installed  ## ratios of time and memory, each against a peer in the same run
	$(BIN)/python -m pytest -q -s -m bench tests/benchmarks

fault: $(VENV)/tests-installed  ## kill writers at every system call, cut the power, fill disks
	$(BIN)/python -m pytest -q -rs -m fault

parity: $(VENV)/tests-installed  ## compare with installed frameworks (skipped with a reason without)
	$(BIN)/python -m pytest -q -rs -m parity

fuzz: $(VENV)/tests-installed  ## read thousands of changed files
	$(BIN)/python -m pytest -q -m fuzz tests/fuzz

package: $(VENV)/tests-installed  ## build sdist and wheel, install the wheel, run the README with it
	$(BIN)/python -m pytest -q -m package tests/package

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/tests-installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -e '.[test,check]'
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV)
