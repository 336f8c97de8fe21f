# The two commands of a fresh clone are `make demo` and `make test`.
# `make demo PIP_ARGS="..."` hands options to pip, `make test PYTEST_ARGS="..."` to pytest.

PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
PYTEST_ARGS ?=

BIN := $(VENV)/bin
# Without -e a change of the sources would need another install.
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check $(PIP_ARGS) -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check site clean

help:
	@echo "make demo    build demo clips, fit a model on them: ./demo/report.html,"
	@echo "             and the command that opens its pages: vidfit serve demo demo/clips"
	@echo "make test    run all tests"
	@echo "make check   format, lint, types, import rules, documentation, figures"
	@echo "make site    the documents as a site: ./build/site/index.html"
	@echo "make clean   remove what these commands made"

demo: $(VENV)/.installed-demo
	$(BIN)/vidfit demo --output demo

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/.installed-test
	VENV=$(VENV) scripts/check

site: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Open build/site/index.html"

clean:
	rm -rf $(VENV) demo build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
	rm -rf .import_linter_cache .hypothesis
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed-%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing vidfit[$*] into $(VENV): about 2 GB, some minutes on the first run"
	$(INSTALL) -e '.[$*]'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("vidfit needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; run make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
