# make demo   a first study on digital hips, from nothing to a report
# make test   every check and test
# make docs   docs/ as a web site: site/index.html
# TORCH chooses the build: make demo TORCH="torch==2.13.0 --index-url URL_OF_THE_CPU_OR_CUDA_BUILDS"

PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
DEMO := runs/demo

.PHONY: demo docs test test-slow lint bench clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

# stamps: installing again only when the requirements change
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "installing torch, MONAI, Lightning and avnnet into $(VENV): one to three minutes"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	touch $@

# hips are painted by a thread per core: threads of numpy on top of these make a quarter of a minute one minute
demo: $(VENV)/.installed
	test -f $(DEMO)/hips/cohort.csv || OMP_NUM_THREADS=1 \
	  $(BIN)/avnnet phantom cohort $(DEMO)/hips --patients 20 --size laptop --other-hip-every 0
	$(BIN)/avnnet study $(DEMO)/hips/cohort.csv --out $(DEMO)/study --processes 2 \
	  --nets experiments/demo/unet2d.yaml experiments/demo/unet3d.yaml

lint: $(VENV)/.installed-test
	$(BIN)/ruff check avnnet tests benchmarks docs/notebooks docs/compared
	$(BIN)/ruff format --check avnnet tests benchmarks docs/notebooks docs/compared
	$(BIN)/mypy
	$(BIN)/lint-imports

# two processes of one thread each: two threads of networks this small are hardly faster than one. A file stays in one
# process, with what its tests share, and files begin in the order of tests/conftest.py, the longest first
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m slow

docs: $(VENV)/.installed-test
	$(BIN)/python -m avnnet.report.pages docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir site
	@echo "site/index.html; with a search: $(BIN)/python -m http.server --directory site"

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/spacing_and_crop.py

clean:
	rm -rf $(VENV) runs site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
