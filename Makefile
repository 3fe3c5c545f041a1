# The Python to install with: the first that runs and fits. Each is tried, since a pyenv shim may exist and still fail.
version = import sys; print("fits" if (3, 11) <= sys.version_info[:2] <= (3, 13) else "")
fits = $(if $(1),$(shell $(1) -c '$(version)' 2>/dev/null))
ifeq ($(origin PYTHON), undefined)
PYTHON := $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(if $(call fits,$(name)),$(name))))
endif
NO_PYTHON = Python 3.11, 3.12 or 3.13 is needed, and $(if $(PYTHON),$(PYTHON) is not one of them,none was found). \
	Install one, or name it: make PYTHON=/path/to/python3.12

# Installs requirements files into .venv, unless they are there already; see custom_handler/install.py.
install = $(if $(call fits,$(PYTHON)),$(PYTHON) -m custom_handler.install $(1),echo '$(NO_PYTHON)' >&2; exit 1)
python = .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run check test lint clients bench corpus faults soak

help:
	@echo 'make run     start the proxy on 127.0.0.1:4000, with an emulator behind it when there are no credentials'
	@echo '             PORT=4001  another port     HOST=0.0.0.0  for other machines too     WORKERS=2  processes'
	@echo '             BRAIN=smollm2  the emulator thinks with a small language model'
	@echo 'make check   show every setting and where it came from, and sign in'
	@echo 'make test    run all tests'
	@echo 'make lint    check style, types and the direction of imports'
	@echo 'make clients run a dozen clients against the proxy, as docs/clients says; needs npm, installs 2 GB'
	@echo 'make bench   measure the proxy against what does less, and write the results into docs/benchmarks.md'
	@echo 'make corpus  measure tool calling, and write the results into docs/tool-calling.md'
	@echo 'make faults  try every fault of the service and more, and write the results into docs/reliability.md'
	@echo 'make soak    ten minutes of mixed load with faults, and the results into docs/reliability.md'
	@echo '             SOAK_SECONDS=60  another time, and the results only printed'

run:
	@$(call install,requirements.txt $(if $(filter smollm2,$(BRAIN)),requirements-smollm2.txt))
	@$(python) -m custom_handler.launcher

check:
	@$(call install,requirements.txt)
	@$(python) -m custom_handler check

test:
	@$(call install,requirements-dev.txt)
	@LITELLM_LOCAL_MODEL_COST_MAP=True $(python) -m pytest --cov -n 3

lint:
	@$(call install,requirements-dev.txt)
	@$(python) -m ruff check --quiet
	@$(python) -m ruff format --check --quiet
	@$(python) -m mypy
	@$(python) .venv/bin/lint-imports

clients:
	@command -v npm >/dev/null || { echo 'npm is needed: install Node.js 20 or newer, then run make again.' >&2; exit 1; }
	@$(call install,requirements-dev.txt)
	@$(call install,--into .venv-clients requirements-clients.txt)
	@$(call install,--into .venv-clients-crewai requirements-clients-crewai.txt)
	@$(call install,--into .venv-clients-aider requirements-clients-aider.txt)
	@cmp -s clients/package-lock.json clients/node_modules/installed.json || { \
		npm install --no-save --prefix clients --loglevel error && \
		cp clients/package-lock.json clients/node_modules/installed.json; }
	@LITELLM_LOCAL_MODEL_COST_MAP=True $(python) -m pytest tests/clients

bench:
	@$(call install,requirements.txt)
	@$(python) -m benchmarks

corpus:
	@$(call install,requirements-dev.txt)
	@LITELLM_LOCAL_MODEL_COST_MAP=True $(python) -m tests.corpus

faults:
	@$(call install,requirements-dev.txt)
	@LITELLM_LOCAL_MODEL_COST_MAP=True $(python) -m tests.reliability faults

soak:
	@$(call install,requirements-dev.txt)
	@LITELLM_LOCAL_MODEL_COST_MAP=True $(python) -m tests.reliability soak
