# make grade | ready | test | coverage | check | docs | audit | bench | picture | template | requirements | container
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SUBMISSION ?= reference/submission.ipynb
TOOLS := babel|canvasapi|coverage|debugpy|distributed|docutils|hypothesis|jedi|mypyc?|pip|playwright|setuptools|snowballstemmer|sphinx
NOT_OF_THE_ENGINE := $(addprefix tests/,assignments/ torchkit/ attacks/ docs/ publish/ student/ __pycache__/)

.PHONY: grade ready test coverage check docs audit bench picture template requirements container clean
.DEFAULT_GOAL := grade

# Install again only when what is installed has changed.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is %d.%d: make PYTHON=…" % sys.version_info[:2])'
	@echo 'Installing PyTorch and all else into $(VENV): 3 GB to download, 6 GB on disk, some minutes'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip # an old one takes a fifth longer
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable '.[dev]'
	@# on all cores, where pip takes one; tools are compiled as they are imported, and some files are examples of wrong code
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/|/torch/(testing/_internal|onnx)/|/sympy/physics/|/site-packages/($(TOOLS))/' $(VENV)/lib || true
	@touch $@

ready: $(READY) ## the environment, and nothing else

grade: $(READY) ## grade the reference, or make grade SUBMISSION=…
	@$(BIN)/python grade.py $(SUBMISSION) --json grades/grade.json

test: $(READY) ## the project's own tests, and the student-facing suites on the reference
	$(BIN)/python -m pytest tests --submission=reference --tb=short -q -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

coverage: $(READY) ## how much of the engine its own tests run; fails under the floor in pyproject.toml
	rm -rf build/coverage && mkdir -p build/coverage
	COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml COVERAGE_FILE=$(CURDIR)/build/coverage/data \
	  $(BIN)/python -m pytest $(filter-out $(NOT_OF_THE_ENGINE),$(wildcard tests/*/ tests/test_*.py)) -q --tb=short -n 2 --dist loadscope
	cd build/coverage && COVERAGE_FILE=data ../../$(BIN)/coverage combine --rcfile=../../pyproject.toml --quiet
	COVERAGE_FILE=build/coverage/data $(BIN)/coverage report

check: $(READY) ## lint, format, types, who imports whom, and the documentation's links
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs build/site

docs: $(READY) ## the documentation as a site in build/site/, index.html first
	$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going docs build/site

audit: $(READY) ## every seeded fault must cost what it should, every correct variant nothing
	$(BIN)/python grade.py --audit

bench: $(READY) ## how fast it is, as ratios; make bench ARGS="--only grade --repeat 5"
	$(BIN)/python -m bench $(ARGS)

picture: $(READY) ## the pictures in the documentation
	$(BIN)/python -m tests.picture docs/terminal.svg
	$(BIN)/python -m tests.pages.pictures docs
	$(BIN)/python -m tests.desk.picture docs

template: $(READY) ## student/ from reference/
	$(BIN)/python grade.py template

requirements: $(READY) ## requirements.txt: the versions in constraints.txt and all that they need, with hashes
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --all-extras --constraint constraints.txt \
	  --generate-hashes --no-annotate --custom-compile-command 'make requirements' --upgrade --output-file requirements.txt

container: $(READY) ## the image's steps with everything installed, in a root of their own: needs root, and minutes
	VIT_GRADE_CONTAINER=1 $(BIN)/python -m pytest tests/publish/test_container.py -q $(ARGS)

clean: ## what can be made again, the environment too
	rm -rf $(VENV) build grades *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
