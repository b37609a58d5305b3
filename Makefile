# Each target is enough on a fresh machine: it needs python3 with venv and a network, no compiler.
PYTHON ?= python3
VENV = .venv
STACK = onedl
# processes that share the tests, one thread each
WORKERS ?= 2
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check
PYTEST = $(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
STAMP = $(VENV)/.complete
DOCS = $(VENV)/.docs
# threads that spin while they wait starve each other where other work shares the cores
export OMP_WAIT_POLICY = PASSIVE

.PHONY: setup demo test test-fast test-official coverage lint lint-style lint-imports lint-types docs \
	notebooks metafiles clean

setup: $(STAMP)

# The stamp comes last, so that an interrupted set-up starts again. mmcv is installed past pip's
# cache: the cache may hold a wheel that was compiled for another torch.
$(STAMP): requirements/$(STACK).txt requirements/test.txt setup.py pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet --no-cache-dir --no-deps $$(grep -E '^[a-z-]*mmcv' requirements/$(STACK).txt)
	$(PIP) install --quiet -r requirements/$(STACK).txt -r requirements/test.txt
	$(PIP) install --quiet --no-deps --editable .
	touch $@

demo: $(STAMP)
	$(VENV)/bin/python tools/demo.py

test: $(STAMP)
	$(PYTEST)

# what takes long has the marker `slow`
test-fast: $(STAMP)
	$(PYTEST) -m "not slow"

test-official:
	$(MAKE) test VENV=.venv-official STACK=official

# `make test`, and which share of the package's lines ran; cheap where Python can monitor itself
coverage: $(STAMP)
	COVERAGE_CORE=$$($(VENV)/bin/python -c \
	"import sys; print('sysmon' if hasattr(sys, 'monitoring') else 'ctrace')") $(PYTEST) --cov=senet_mm

lint: lint-style lint-imports lint-types

lint-style: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

# the floors of the package, in pyproject.toml
lint-imports: $(STAMP)
	$(VENV)/bin/lint-imports --no-logo --no-cache

lint-types: $(STAMP)
	$(VENV)/bin/mypy

# what mim reads, and the table of docs/configs.md, from the configs' text
metafiles: $(STAMP)
	$(VENV)/bin/python -c "from pathlib import Path; from senet_mm.runs.config_index import write; write(Path())"

$(DOCS): $(STAMP) requirements/docs.txt
	$(PIP) install --quiet -r requirements/docs.txt
	touch $@

# the site, docs/_build/html: a page in no table of contents, a dead link or an unknown name is an error
docs: $(DOCS)
	$(VENV)/bin/python -m sphinx -W -n --keep-going --quiet docs docs/_build/html

# runs the notebooks; with `NBMAKE=--overwrite` what they print is kept in them
notebooks: $(DOCS)
	PATH="$(abspath $(VENV))/bin:$$PATH" $(VENV)/bin/python -m pytest --nbmake \
	    --nbmake-timeout=1800 $(NBMAKE) docs/notebooks

clean:
	rm -rf .venv .venv-official build dist *.egg-info docs/_build docs/notebooks/work_dirs
