# Each target is enough on a fresh machine: it needs python3 with venv and a network, no compiler.
PYTHON ?= python3
VENV = .venv
STACK = onedl
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check
STAMP = $(VENV)/.complete
# threads that spin while they wait starve each other where other work shares the cores
export OMP_WAIT_POLICY = PASSIVE

.PHONY: setup demo test test-official lint clean

setup: $(STAMP)

# The stamp comes last, so that an interrupted set-up starts again. mmcv is installed past pip's
# cache: the cache may hold a wheel that was compiled for another torch.
$(STAMP): requirements/$(STACK).txt requirements/test.txt setup.py
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet --no-cache-dir --no-deps $$(grep -E '^[a-z-]*mmcv' requirements/$(STACK).txt)
	$(PIP) install --quiet -r requirements/$(STACK).txt -r requirements/test.txt
	$(PIP) install --quiet --no-deps --editable .
	touch $@

demo: $(STAMP)
	$(VENV)/bin/python tools/demo.py

test: $(STAMP)
	$(VENV)/bin/python -m pytest

test-official:
	$(MAKE) test VENV=.venv-official STACK=official

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

clean:
	rm -rf .venv .venv-official build dist *.egg-info
