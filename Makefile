# `make run` builds what config/config.yaml names; `make test` runs the tests. Both set up $(VENV) first, once.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV ?= .venv
CORES ?= all
ARGS ?=

comma := ,
HERE := $(CURDIR)
VENV_DIR := $(if $(filter /%,$(VENV)),$(VENV),$(HERE)/$(VENV))
# What the environment was made from; written last, so that an interrupted installation is never taken for a whole one.
STAMP := $(VENV_DIR)/.trakway
# Where there is SLURM its executor comes along; elsewhere every start of Snakemake would load it for nothing.
EXTRAS := dev$(if $(shell command -v sbatch),$(comma)slurm)
# Clones may share one environment: each runs its own src/, whichever clone the editable install points to.
WITH := PATH="$(VENV_DIR)/bin:$$PATH" VIRTUAL_ENV="$(VENV_DIR)" PYTHONPATH="$(HERE)/src"

.PHONY: help env run plan explore clean-stale test gpu lint format

help: ## list these targets
	@echo "usage: make TARGET [VENV=.venv] [CORES=all] [PYTHON=python3] [ARGS='more arguments']"
	@sed -n 's/^\([a-z-]*\): .*## /  \1\t/p' Makefile

run: env ## build what config/config.yaml names (ARGS='fashion_resnet --dry-run' to choose or look ahead)
ifeq ($(strip $(ARGS)),)
	@$(WITH) python scripts/run.py --cores $(CORES)
else
	@$(WITH) snakemake --cores $(CORES) $(ARGS)
endif

plan: env ## say what experiments need, measured here for some seconds (ARGS='cifar10_ddpm --tier paper'; none: all)
	@$(WITH) OMP_NUM_THREADS=1 python scripts/plan.py $(ARGS)

explore: env ## look at an experiment in the browser (ARGS=fashion_ldm; ARGS='fashion_ldm --serve' without one here)
	@$(WITH) python -m trakway.explorer.opening explore $(ARGS)

clean-stale: env ## list what is left of earlier settings in results/ (ARGS=--remove to remove it)
	@$(WITH) python scripts/clean_stale.py $(ARGS)

test: env ## run the tests (ARGS='tests/data -k split' for a few)
	@command -v chromium chromium-browser google-chrome >/dev/null || echo "No Chromium here: tests of the explorer's pages are skipped."
	@$(WITH) OMP_NUM_THREADS=1 python -m pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

gpu: env ## on a machine with a GPU: test its kernels, measure them, run the experiments on it (ten minutes)
	@$(WITH) python benchmarks/gpu.py $(ARGS)

lint: env ## check style: ruff, snakefmt, snakemake --lint
	@$(WITH) ruff check .
	@$(WITH) ruff format --check .
	@$(WITH) snakefmt --check Snakefile workflow
	@$(WITH) snakemake --lint

format: env ## rewrite sources the way `make lint` wants them
	@$(WITH) ruff check --fix .
	@$(WITH) ruff format .
	@$(WITH) snakefmt Snakefile workflow

env: ## set up VENV with the pinned packages; nothing to do when it is up to date
	@same() { cmp -s pyproject.toml "$(STAMP)/pyproject.toml" && cmp -s envs/constraints.txt "$(STAMP)/constraints.txt" \
		&& [[ "$$(cat "$(STAMP)/extras" 2>/dev/null)" == *$(EXTRAS)* ]]; }; \
	here() { [[ "$$(cat "$(STAMP)/clone" 2>/dev/null)" == "$(HERE)" ]]; }; \
	if same && here; then exit 0; fi; \
	unset PYTHONPATH PYTHONHOME; \
	if ! "$(VENV_DIR)/bin/python" -m pip --version >/dev/null 2>&1; then \
		"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
			echo "Trakway needs Python 3.11 or later; $(PYTHON) is $$("$(PYTHON)" --version 2>/dev/null || echo not found)." >&2; \
			echo "Name another one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }; \
		"$(PYTHON)" -m venv "$(VENV_DIR)"; \
	fi; \
	if ! same; then \
		if [[ -d "$(STAMP)" ]]; then echo "Updating $(VENV): pyproject.toml or envs/constraints.txt has changed, or SLURM has come."; \
		else echo "Installing the pinned packages into $(VENV): about 6 GB, a few minutes, once."; fi; \
		rm -rf "$(STAMP)"; \
		"$(VENV_DIR)/bin/python" -m pip install -qq -c envs/constraints.txt setuptools -e '.[$(EXTRAS)]' || { \
			echo "The installation stopped. With the cause above mended, make continues it." >&2; exit 1; }; \
		mkdir -p "$(STAMP)"; cp pyproject.toml envs/constraints.txt "$(STAMP)/"; echo "$(EXTRAS)" > "$(STAMP)/extras"; \
		echo "Installed in $$((SECONDS / 60)) min $$((SECONDS % 60)) s."; \
	else \
		echo "Pointing the shared environment $(VENV) to this clone."; \
		"$(VENV_DIR)/bin/python" -m pip install -qq --no-deps --no-build-isolation -e .; \
	fi; \
	echo "$(HERE)" > "$(STAMP)/clone"
