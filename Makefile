# A machine needs Python 3.11 or newer and make; everything else is installed into .venv.

SHELL := /bin/sh
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && exit; \
	done; echo python3)
BIN := .venv/bin
SETUP := $(PYTHON) -m tools.setup
SOURCES := planner tests tools migrations $(wildcard benchmarks wsgi.py)
TESTS ?= tests
ARGS ?=

# Some images forbid bytecode; without it every start takes four times as long.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
CHECKS := check-format check-types check-lint check-imports check-templates check-dependencies
.PHONY: help setup run test test-long check $(CHECKS) format bench messages lock assets clean

help: ## what there is to say after `make`
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ## prepare everything: libraries, assets, a PostgreSQL and a Chromium for the tests
	@$(SETUP) all

run: ## set up what running needs, fill an empty database with a demo, and serve
	@$(SETUP) run
	@exec $(BIN)/planner serve --prepare

test: ## set up and run all tests, on both databases and in the browser (ARGS="-k word" for some)
	@$(SETUP) all
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not long" $(TESTS) $(ARGS)

test-long: ## run all tests, those that take minutes too, with many more random cases
	@$(SETUP) all
	@PLANNER_LONG=1 $(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS) $(ARGS)

check: ## format, lint, strict types, import contracts, templates, unused dependencies
	@$(SETUP) check
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync $(CHECKS) && echo "All checks passed."

check-format:
	$(BIN)/ruff format --check --quiet $(SOURCES)
check-lint:
	$(BIN)/ruff check --quiet $(SOURCES)
check-types:
	$(BIN)/mypy --no-error-summary
check-imports:
	$(BIN)/lint-imports --no-logo
check-templates:
	$(BIN)/djlint --lint --quiet planner/templates
check-dependencies:
	$(BIN)/deptry .

format: ## put the code into its one form
	@$(SETUP) check
	$(BIN)/ruff check --quiet --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: ## measure planner beside its floors
	@$(SETUP) all
	@$(BIN)/python -m benchmarks $(ARGS)

assets: ## bundle scripts and styles after a change
	@$(SETUP) run

messages: ## take new sentences into the translation catalogues
	@$(SETUP) run
	@$(PYTHON) -m tools.messages

lock: ## lock the versions that requirements*.in and package.json allow now
	@$(SETUP) run
	@$(PYTHON) -m tools.lock $(ARGS)

clean: ## remove everything that set-up has made, but not your database
	rm -rf .venv build node_modules planner/static/dist
