# Everything on a machine that has Python 3.11 and reaches the package registries: no step needs another one first.
# uv is used where it is installed; elsewhere pip puts it into .uv/.

SHELL := /bin/bash
PYTHON ?= python3.11
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo .uv/bin/uv)
RUN := $(UV) run --locked
export RASA_TELEMETRY_ENABLED := false

.PHONY: demo test bench check setup browser help

help:  ## say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 14

demo: setup  ## the whole assistant on this machine, with a phone on a web page
	$(RUN) frontdesk up

test: setup browser check  ## formatting, lint, types, import rules, and every test
	$(RUN) pytest

bench: setup  ## measure, and write benchmarks/results.json and the figures of README.md
	$(RUN) --group audio python -m benchmarks.run

check: setup  ## what needs no run of the program
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) lint-imports

setup: $(UV)  ## both environments, exactly as locked
	$(UV) sync --locked
	$(UV) sync --locked --project bot/dialogue

browser:  ## Chromium, for the browser tests
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get && apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium; } || \
	echo "No Chromium is here: the browser tests of the console will fail. On Debian: apt-get install chromium" >&2

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Python 3.11 is needed; name it with make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet uv
