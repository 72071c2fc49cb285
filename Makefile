# The ways to run, test and check the marketplace from a clean clone. Python 3.11 or newer and make are all they need.

# The first that exists; override with `make PYTHON=... run`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test lint format openapi asyncapi definitions fuzz bench chaos

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

run: $(VENV)/embedded.stamp ## Set up and run everything on this machine (ARGS="--fresh" empties its data first)
	@$(BIN)/python manage.py quickstart $(ARGS)

test: $(VENV)/dev.stamp ## Set up and run all tests (ARGS="-k relay" for some)
	$(BIN)/python -m pytest -n 4 --dist loadfile $(ARGS)

lint: $(VENV)/dev.stamp ## Check style, types and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	SECRET_KEY=only-for-this-check $(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/dev.stamp ## Bring the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(VENV)/dev.stamp ## Write openapi.yaml as the code has it
	SECRET_KEY=only-for-this-document-0123456789abcdef TRUST_IDENTITY_HEADERS=false \
		$(BIN)/python manage.py spectacular --validate --fail-on-warn --file openapi.yaml

asyncapi: $(VENV)/dev.stamp ## Write asyncapi.yaml as the code has it
	SECRET_KEY=only-for-this-document-0123456789abcdef $(BIN)/python manage.py asyncapi --file asyncapi.yaml

definitions: $(VENV)/dev.stamp ## Write what each report says into docs/analytics.md as the code has it
	@SECRET_KEY=only-for-this-document $(BIN)/python manage.py write_definitions docs/analytics.md

fuzz: $(VENV)/fuzz.stamp ## Send a running API 20,000 generated requests (ARGS="--examples 5" for fewer)
	$(BIN)/python -m fuzz $(ARGS)

bench: $(VENV)/benchmarks.stamp ## Compare speed and memory with other ways of doing the same (needs wrk)
	$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/dev.stamp ## Kill processes and servers under load, 100 times (ARGS="--kills 10 --seed 1"; --help says more)
	@! command -v mariadbd >/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements/mysql.txt
	@$(BIN)/python -m tests.system.faults $(ARGS)

# A stamp is newer than the requirements that it stands for: they are installed again only when they change.
$(VENV)/embedded.stamp: requirements/embedded.txt requirements/base.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt requirements/embedded.txt requirements/base.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@ $(VENV)/embedded.stamp

$(VENV)/fuzz.stamp: requirements/fuzz.txt $(VENV)/dev.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(VENV)/benchmarks.stamp: requirements/benchmarks.txt $(VENV)/dev.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON to one: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
