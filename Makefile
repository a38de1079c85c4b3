# Every target sets up what it needs by itself; a second run needs no network.
# What is installed, and why, is said while it happens and in scripts/setup.sh.

PYTHON ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo run s3 test test-long lint bench lock docs clean setup setup-dev

help: ## Show this list
	@echo "Usage: make TARGET"
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r target text; do \
		printf '  %-10s %s\n' "$$target" "$$text"; done
	@echo "PYTHON=/path/to/python3 picks another Python (3.11 or newer) for a new .venv."

demo: setup ## Run the whole program once against stand-ins, print a report and exit
	$(BIN)/watchbook demo --once

run: ARGS ?= demo
run: setup ## Run watchbook; ARGS="serve" picks the command, without it the demo stays up
	$(BIN)/watchbook $(ARGS)

s3: ## Add the library for off-site copies to S3-compatible services
	@PYTHON="$(PYTHON)" sh scripts/setup.sh s3

test: lint ## Check style and types, then run the tests
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "not long" $(ARGS)

test-long: lint ## Run all tests, the ones that take minutes too
	$(BIN)/python -m pytest -n 4 --dist worksteal --hypothesis-profile=long $(ARGS)

lint: setup-dev ## Check style (ruff) and types (mypy)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup-dev ## Measure speed and memory
	$(BIN)/python -m benchmarks $(ARGS)

lock: ## Write requirements/*.txt anew; ARGS=--upgrade takes newer versions
	@PYTHON="$(PYTHON)" sh scripts/setup.sh lock $(ARGS)

clean: ## Remove everything that these targets made
	rm -rf .venv .uv .make .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf .coverage .coverage.* htmlcov build dist demo-home
	rm -rf integrations/react/node_modules integrations/react/dist integrations/react/example/dist
	find src tests benchmarks scripts -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

docs: setup-dev
	$(BIN)/python scripts/make_reference.py
	$(BIN)/python scripts/make_cards.py
	$(BIN)/python scripts/make_screenshot.py

setup:
	@PYTHON="$(PYTHON)" sh scripts/setup.sh runtime

setup-dev:
	@PYTHON="$(PYTHON)" sh scripts/setup.sh dev
