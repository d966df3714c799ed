# `make demo` installs what it needs into .venv and goes once round the loop; `make test` installs and tests.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: published release site system install demo test test-slow lint types contracts unit accuracy reference clean
demo: .venv/runtime.stamp
	$(BIN)/hygiene demo

# Into .venv, with a link to it where a user's own programs lie.
PREFIX ?= $(HOME)/.local
install: .venv/runtime.stamp
	mkdir -p "$(PREFIX)/bin"
	ln -sf "$(CURDIR)/.venv/bin/hygiene" "$(PREFIX)/bin/hygiene"

test: system .venv/dev.stamp lint types contracts unit

system:
	.ci/system-packages

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

contracts:
	$(BIN)/lint-imports --no-logo

unit:
	$(BIN)/pytest -n auto -m 'not slow'

# Kills at many points, large and broken repositories, a full audit of the rules: an hour or so.
test-slow: system .venv/dev.stamp
	$(BIN)/pytest -n auto -m slow

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/runtime.stamp: .venv/bin/python requirements/runtime.lock pyproject.toml
	test -e .venv/dev.stamp || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	test -e .venv/dev.stamp || $(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	$(BIN)/python -m compileall -q hygiene
	touch $@

.venv/dev.stamp: .venv/bin/python requirements/dev.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q hygiene
	touch $@

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url pyproject.toml -o requirements/action.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url pyproject.toml --all-extras -o requirements/runtime.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url pyproject.toml requirements/dev.in --all-extras -o requirements/dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url requirements/release.in -o requirements/release.lock

# Wheel and source, built from the tracked files, twice and compared; a single file to run; what is in it; and their sums.
RELEASE := .venv-release/bin
release: .venv-release/stamp
	rm -rf dist build && mkdir -p dist build
	git archive --format=tar HEAD | tar -x -C build
	cd build && ../$(RELEASE)/python -m hatchling build -d ../dist
	cd build && ../$(RELEASE)/python -m hatchling build -d again && cmp ../dist/*.whl again/*.whl && cmp ../dist/*.tar.gz again/*.tar.gz
	$(RELEASE)/shiv --quiet --reproducible --console-script hygiene --output-file dist/hygiene.pyz --find-links dist 'secret-hygiene==$(shell $(PYTHON) -c "import hygiene; print(hygiene.__version__)")'
	$(RELEASE)/cyclonedx-py requirements requirements/action.lock --pyproject pyproject.toml --mc-type application --output-reproducible --output-file dist/hygiene.cdx.json
	cd dist && sha256sum * > SHA256SUMS

.venv-release/stamp: requirements/release.lock
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/release.lock
	touch $@

# Five folds by repository over labelled code: make accuracy CREDDATA=/path/to/dev (see docs/model-card.md)
accuracy: .venv-bench/stamp
	nice .venv-bench/bin/python -m bench.accuracy $(CREDDATA)

# What is found of the examples that authors of scanners publish: make published PEERS="--gitleaks DIR --kingfisher DIR"
published: .venv/dev.stamp
	nice $(BIN)/python -m bench.published $(PEERS)

.venv-bench/stamp: requirements/bench.in pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -r requirements/bench.in -e .
	touch $@

# The pages of docs/commands, from the commands themselves.
reference: .venv/dev.stamp
	rm -f docs/commands/*.md
	$(BIN)/hygiene manual --format markdown -o docs/commands

# The docs as a site, in build/site; a dead link or a page that is nowhere in the navigation is an error.
site: .venv/dev.stamp
	$(BIN)/mkdocs build --site-dir build/site

clean:
	rm -rf .venv build dist
