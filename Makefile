# finnews: `make demo` runs the main job, `make test` passes the checks; both build the environment first if it is missing.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
DEMO_LAKE ?= demo-lake

.PHONY: help setup system demo test lint types unit slow torture docs site bench-extract bench-dedup bench-lake bench-crawl bench-backfill bench-prefect production-check judge lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(READY)  ## build the environment from requirements.lock

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "finnews needs Python 3.11 ($(PYTHON) not found); set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@# The lock is complete: without --no-deps, pip would resolve extras (sqlalchemy[asyncio]) past it.
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Tests that need one of these skip, with the reason, where it is absent.
DEBIAN := postgresql chromium default-jre-headless git
system:  ## Debian's packages for all tests, as root: PostgreSQL, Chromium, Java, git
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEBIAN)

demo: $(READY)  ## the main job, offline, on the bundled sample site
	@$(BIN)/finnews demo --lake $(DEMO_LAKE)

test: lint types unit slow  ## lint, types and all tests

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

unit: $(READY)  ## the fast tests: seconds, to be run all the time
	$(BIN)/pytest -q -n 2 -m "not slow and not server"

slow: $(READY)  ## whole-process tests: kills, crawls, a Prefect server
	$(BIN)/pytest -q -n 2 --dist loadgroup -m "slow or server"

torture: $(READY)  ## kill, fail and fill up a lake, in a folder and in a bucket, with a reader beside it
	$(BIN)/python -m tests.storage.torture --kills 120
	$(BIN)/python -m tests.flows.torture_commands --kills 200 --bucket-kills 16
	$(BIN)/python -m tests.flows.torture_backfills --kills 20

docs: $(READY)  ## write the generated pages anew (schema, sources, reliability)
	$(BIN)/finnews schema --markdown > docs/schema.md
	$(BIN)/python -m spiders.sources_page > docs/sources.md
	$(BIN)/python -m tests.reliability > docs/reliability.md

site: $(READY)  ## build the documentation site into docs/_build/html
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

bench-extract: $(READY)  ## quality and speed of extraction beside its peers
	$(BIN)/python -m benchmarks.extract

bench-dedup: $(READY)  ## quality and speed of deduplication beside its peers
	$(BIN)/python -m benchmarks.dedup --peers

bench-lake: $(READY)  ## commits, bulk, queries and readers of the lake beside other stores
	$(BIN)/python -m benchmarks.lake

bench-crawl: $(READY)  ## requests per new article, and speed beside a bare spider
	$(BIN)/python -m benchmarks.crawl

bench-prefect: $(READY)  ## what a flow run costs beside the core alone
	$(BIN)/python -m benchmarks.prefect_cost

production-check: $(READY)  ## deploy, schedule, fire, kill a worker, catch up: on a Prefect server and PostgreSQL, with times
	$(BIN)/pytest -q -s -n 0 -m server tests/flows/test_production.py

bench-backfill: $(READY)  ## an archive of pages into the lake, beside trafilatura's command line and Scrapy
	$(BIN)/python -m benchmarks.backfill
	$(BIN)/python -m benchmarks.backfill_stages --pages 2000

judge: $(READY)  ## learn from training/lines anew which lines at the ends of a body are the site's
	$(BIN)/python -m training.edge_lines

lock: $(READY)  ## resolve pyproject.toml into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml -o requirements.lock

clean:  ## remove the environment and the demo lake
	rm -rf $(VENV) $(DEMO_LAKE)
