# Each target works from a clean clone: it makes its own environment in .venv and installs what it
# needs there. Required beforehand: Python >= 3.11, a C compiler, a package index.

PYTHON ?= python3
# Warnings of the C compiler are errors when ON; `make test` asks for it, a user's demo does not.
WERROR ?= OFF
# Where bench-all leaves its tables, figures and pictures.
RESULTS ?= bench-results
# What brings PyTorch; a build for CPUs is enough.
TORCH ?= "torch>=2.2"
# Two workers share one cache of compiled Numba kernels.
WORKERS ?= 2

VENV      := .venv
BIN       := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DOCS_READY  := $(VENV)/.docs
PACKAGE_READY   := $(VENV)/.package
WORKFLOWS_READY := $(VENV)/.workflows
EMPTY       := .venv-wheel
OLDEST      := .venv-oldest
CMAKE_READY := $(VENV)/.cmake
SOURCES   := $(shell find src csrc -type f \( -name '*.py' -o -name '*.pyi' -o -name '*.pyx' \
             -o -name '*.pxd' -o -name '*.c' -o -name '*.h' -o -name '*.inc' -o -name 'py.typed' \)) \
             $(wildcard CMakeLists.txt) pyproject.toml README.md LICENSE

export NUMBA_CACHE_DIR ?= $(CURDIR)/.cache/numba

.PHONY: help demo test quick test-oldest torch kernels dist test-wheel reproducible workflows news dev docs linkcheck worked lint sanitize coverage hard bench bench-all peers instructions instructions-record clean
help:
	@echo "make demo   train on handwritten digits, draw demo.png (DEMO='--epochs 5' passes options)"
	@echo "make test   run the tests against the installed package (TESTS='-k cli' passes options)"
	@echo "make quick  run a few cases of each test, on one backend, in a minute"
	@echo "make torch  run the tests with PyTorch, which it installs (TORCH=torch==2.13.0 names a version)"
	@echo "make test-oldest  the tests, with the oldest version of each package that pyproject.toml allows"
	@echo "make bench  time kernels and an epoch on every backend, draw bench.png (BENCH=--quick)"
	@echo "make bench-all  every benchmark, about an hour, into RESULTS (bench-results)"
	@echo "make peers  set fastmlp beside the libraries found in .venv (PEERS='--cell digits')"
	@echo "make docs   run the gallery and build the site in docs/_build/html"
	@echo "make linkcheck  follow the links of the site to other sites (needs the internet)"
	@echo "make worked  apply the worked changes of the site to a copy, build and test it"
	@echo "make lint   ruff, mypy, the stub of the core, and what may import what"
	@echo "make sanitize  run tests on a core that watches its memory, then its threads (needs GCC)"
	@echo "make dist      sdist and wheel in dist/, repaired and checked"
	@echo "make test-wheel    the tests on dist's wheel in an empty environment of PYTHON, from elsewhere"
	@echo "make reproducible  build twice and compare the bytes"
	@echo "make workflows     check .github/workflows by schema and by zizmor"
	@echo "make news      what the files of changes/ will say in CHANGELOG.md"
	@echo "make dev       an editable install in .venv, which rebuilds what changed at each import"
	@echo "make kernels   hold the kernels against plain loops, here and on emulated processors without AVX-512,"
	@echo "               without AVX, and aarch64 (Debian: qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"
	@echo "make coverage  count which lines of the core and of Python the tests run (needs GCC)"
	@echo "make hard   let each allocation fail, interrupt, fork, fit 10,000 times, take random steps"
	@echo "make instructions         hold the kernels' instruction counts against their budget"
	@echo "make instructions-record  make today's counts the budget (needs valgrind, as above)"
	@echo "make clean  remove the environment, the build and the caches"

demo: $(INSTALLED)
	$(BIN)/fastmlp demo --overwrite $(DEMO)

test: WERROR = ON
test: $(INSTALLED)
	$(BIN)/pytest -n $(WORKERS) $(TESTS)

quick: WERROR = ON
quick: $(INSTALLED)
	$(BIN)/pytest -n $(WORKERS) --quick $(TESTS)

# PyTorch is larger than all the rest together, so the environment has it from here on only.
torch: WERROR = ON
torch: $(INSTALLED)
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/pytest tests/test_torch.py $(TESTS)

# uv alone can choose the oldest versions; the lower bounds stand in pyproject.toml and nowhere else.
test-oldest: WERROR = ON
test-oldest: $(OLDEST)/.installed
	$(OLDEST)/bin/pytest -n $(WORKERS) $(TESTS)

bench: $(INSTALLED)
	$(BIN)/fastmlp bench --overwrite $(BENCH)

# At a quiet moment: nothing else should run. FASTMLP_DATA names MNIST; peers as below. SLICE="--resume
# --stop-after 40" does what is left for 40 seconds, and exits with 3 if there is more.
bench-all: $(INSTALLED)
	$(BIN)/python benchmarks/run_all.py $(RESULTS) $(SLICE)

# Peers are optional: those of the extra "bench" are as large as all the rest together and more.
peers: $(INSTALLED)
	$(BIN)/python benchmarks/peers.py $(PEERS)

# The core alone is built for these, so the package need not be installed.
kernels: $(CMAKE_READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/emulate.py $(KERNELS)

instructions: $(CMAKE_READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python benchmarks/instructions/count.py

instructions-record: $(CMAKE_READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python benchmarks/instructions/count.py --record

# The wheel is built from the source distribution. Two builds of one commit have the same bytes, since its time is that of
# all files in them.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 315532800)
DIST = dist
dist: $(PACKAGE_READY)
	rm -rf $(DIST)
	$(BIN)/python -m build --outdir $(DIST) .
	@if [ "$$(uname)" = Linux ]; then set -ex; for wheel in $(DIST)/*-linux_*.whl; do \
	  PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair --wheel-dir $(DIST) "$$wheel"; rm "$$wheel"; done; fi
	$(BIN)/twine check --strict $(DIST)/*
	$(BIN)/check-wheel-contents $(DIST)/*.whl
	$(BIN)/python tools/check_wheel.py $(DIST)/*

test-wheel:
	$(PYTHON) -m venv --clear $(EMPTY)
	$(EMPTY)/bin/python -m pip install --quiet "$$(ls dist/*.whl)[test]"
	cd $(EMPTY) && bin/python -I -c 'import fastmlp; print(fastmlp.__file__)'
	cd $(EMPTY) && bin/pytest -c $(CURDIR)/pyproject.toml --rootdir $(CURDIR) -n $(WORKERS) $(CURDIR)/tests $(TESTS)

reproducible:
	$(MAKE) dist DIST=build/first
	$(MAKE) dist DIST=build/second
	cd build/first && sha256sum * > ../first.sha256
	cd build/second && sha256sum --check --strict ../first.sha256
	@cat build/first.sha256

# What runs on GitHub alone is checked as far as it can be; each step of it that can run here is a target of this file.
workflows: $(WORKFLOWS_READY)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/defect.yml .github/ISSUE_TEMPLATE/idea.yml
	$(BIN)/zizmor --offline --quiet .github/workflows
	$(BIN)/cibuildwheel --platform linux --archs x86_64 --print-build-identifiers
	@if command -v actionlint >/dev/null; then actionlint; else echo "NOT CHECKED by actionlint, which is not installed"; fi

news: $(INSTALLED)
	$(BIN)/towncrier build --draft --version next

# Without isolation, so that what an import rebuilds with stays there. Not beside `make test`, whose install it replaces.
dev: $(CMAKE_READY)
	$(BIN)/python -m pip install --quiet "scikit-build-core>=0.11" "cython>=3.1" "numpy>=2.0"
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable ".[test,lint]" \
	  -Ceditable.rebuild=true -Ceditable.verbose=false -Ccmake.define.FASTMLP_WERROR=ON
	@rm -f $(INSTALLED)
	@ln -sf "$$(ls -td build/cp*/ | head -1)compile_commands.json" compile_commands.json
	@echo "import fastmlp by $(BIN)/python: what has changed in csrc/ or _core.pyx is compiled first"

# From scratch, so that every page of the gallery runs and no page of a removed name stays.
docs: $(DOCS_READY)
	rm -rf docs/_build docs/auto_gallery docs/generated
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "the site: docs/_build/html/index.html"

# Links within the site are warnings of `make docs`, which are errors; these need the internet.
linkcheck: $(DOCS_READY)
	$(BIN)/sphinx-build --quiet -b linkcheck -D plot_gallery=0 docs docs/_build/linkcheck

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	MYPYPATH= $(BIN)/mypy --config-file= --strict tests/typed_user.py
	$(BIN)/stubtest fastmlp.backends._core --ignore-disjoint-bases --allowlist tools/stubtest_allowed.txt
	PYTHONPATH=src $(BIN)/lint-imports --no-cache --no-logo
	PATH="$(abspath $(BIN)):$$PATH" cython-lint src # which starts pycodestyle
	$(BIN)/towncrier build --draft --version next >/dev/null

worked: $(INSTALLED)
	$(BIN)/python tools/worked_changes.py

# SANITIZERS=address or thread runs one of the two.
sanitize: $(INSTALLED)
	WORKERS=$(WORKERS) $(BIN)/python tools/sanitize.py $(SANITIZERS)
	FASTMLP_FLIPS=10000 $(BIN)/pytest -q tests/test_damaged_pickles.py -k flipped_bit
	FASTMLP_MUTATIONS=10000 $(BIN)/pytest -q -s tests/test_model_files_mutated.py

# Which lines the tests run, of the core and of Python. COVERAGE="tests/test_front.py" runs a part.
coverage: $(INSTALLED)
	$(BIN)/python -m pip install --quiet pytest-cov
	$(BIN)/python tools/coverage_of_lines.py -n $(WORKERS) $(COVERAGE)

# The long versions of tests that the suite runs for seconds.
hard: $(INSTALLED)
	FASTMLP_HARD=1 $(BIN)/pytest -q -s tests/test_hard_*.py

clean:
	rm -rf $(VENV) $(OLDEST) $(EMPTY) docs/_build docs/auto_gallery docs/generated build dist .cache .pytest_cache .ruff_cache .mypy_cache

# A regular install, not an editable one: the tests see what a user gets.
$(INSTALLED): $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet -Ccmake.define.FASTMLP_WERROR=$(WERROR) ".[test,lint]"
	@touch $@

$(OLDEST)/.installed: $(BIN)/python $(SOURCES) tests/oldest.txt
	$(BIN)/python -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet "uv>=0.5"
	$(OLDEST)/bin/uv pip install --quiet --python $(OLDEST)/bin/python --resolution lowest-direct \
	  --requirements pyproject.toml --extra test --constraints tests/oldest.txt
	$(OLDEST)/bin/python -m pip install --quiet --no-deps -Ccmake.define.FASTMLP_WERROR=$(WERROR) .
	@touch $@

# The packages of an extra alone: asking pip for ".[docs]" would build the package a second time.
$(DOCS_READY): $(INSTALLED)
$(DOCS_READY) $(PACKAGE_READY) $(WORKFLOWS_READY): $(BIN)/python pyproject.toml
	$(BIN)/python -c 'import sys, tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	  print(*project["optional-dependencies"][sys.argv[1]], sep="\n")' $(patsubst .%,%,$(notdir $@)) > $@.txt
	$(BIN)/python -m pip install --quiet -r $@.txt
	@touch $@

$(CMAKE_READY): $(BIN)/python
	$(BIN)/python -m pip install --quiet "cmake>=3.24" "ninja>=1.11"
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "fastmlp needs Python >= 3.11; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
