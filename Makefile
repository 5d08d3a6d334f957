PYTHON ?= python3
BIN := .venv/bin
# A machine may forbid byte code; without it every start of the application costs two seconds more.
unexport PYTHONDONTWRITEBYTECODE
export PLAYWRIGHT_NODEJS_PATH := $(CURDIR)/$(BIN)/node

.DEFAULT_GOAL := help
.PHONY: help run setup test test-long check format bench lock messages clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Set up everything and serve the application with demo data
	@$(PYTHON) tools/setup.py run
	@$(BIN)/planner init
	@$(BIN)/planner demo --if-empty
	@exec $(BIN)/planner serve

setup: ## Prepare everything for running and testing
	@$(PYTHON) tools/setup.py test

test: setup ## Run all tests, on both databases and in the browser
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not long" -q

test-long: setup ## Run all tests with many more random cases
	@PLANNER_LONG=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q

check: setup ## Format, lint, types, import contracts, templates, unused dependencies
	@echo "==> format"; $(BIN)/ruff format --check -q .
	@echo "==> lint"; $(BIN)/ruff check -q .
	@echo "==> types"; $(BIN)/mypy --no-error-summary
	@echo "==> import contracts"; $(BIN)/lint-imports --no-cache > build/contracts.txt || { cat build/contracts.txt; exit 1; }
	@echo "==> templates"; $(BIN)/djlint --quiet --lint planner/templates
	@echo "==> dependencies"; $(BIN)/deptry -v planner 2> build/deptry.txt || { cat build/deptry.txt; exit 1; }

format: setup ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: setup ## Measure against floors and peers, side by side in one run
	@$(BIN)/python -m benchmarks

lock: ## Choose the versions of all libraries anew
	@$(PYTHON) tools/setup.py run
	@$(BIN)/python tools/lock.py

messages: setup ## Collect the texts to be translated
	@$(BIN)/pybabel -q extract -F babel.cfg -k _l -k N_ --no-location --sort-output --omit-header -o build/messages.pot planner
	@$(BIN)/pybabel -q update -i build/messages.pot -d planner/translations --no-fuzzy-matching --omit-header --ignore-pot-creation-date

clean: ## Remove everything that make has made, except the database
	rm -rf .venv build node_modules planner/static/dist
