# Everything starts from a fresh clone: each target first sees to the virtual environment .venv.
PYTHON ?= python3
VENV := $(or $(MINISAM_VENV),.venv)
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-autograd test-peers test-cupy test-cupys-own lessons lessons-run figures lint mutation bench experiments against accuracy family evidence vectors conformance size gpu-check site browser-test browser-all clean

demo: $(READY)
	$(BIN)/minisam demo

test: $(READY)
	$(BIN)/python -m pytest -n auto

test-autograd: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python tests/autograds_own.py

test-peers: $(VENV)/.ready-bench
	$(BIN)/python -m pytest -m peer

test-cupy: $(VENV)/.ready-cupy
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -p cupy_on_cpu.plugin -m gpu

test-cupys-own: $(VENV)/.ready-cupy
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python tests/cupy_on_cpu/cupys_own_tests.py

lessons: $(READY)
	$(BIN)/jupyter lab lessons

lessons-run: $(READY)
	PYTHONWARNINGS=error OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --nbmake --nbmake-timeout=60 lessons

figures: $(READY)
	$(BIN)/python figures/make.py

mutation: $(READY)
	$(BIN)/python tests/mutation.py

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.ready-bench
	$(BIN)/python benchmarks/run.py

experiments: $(VENV)/.ready-bench
	$(BIN)/python benchmarks/experiments.py

against: $(READY)
	$(BIN)/python benchmarks/against.py $(OTHER)

accuracy: $(READY)
	$(BIN)/python benchmarks/accuracy.py

family: $(READY)
	$(BIN)/python benchmarks/family.py

evidence: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python evidence/make.py $(CLAIM)

vectors: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python vectors/make.py

conformance: $(VENV)/.ready-conformance
	OMP_NUM_THREADS=1 $(BIN)/python conformance/make.py

size: $(READY)
	$(BIN)/python benchmarks/size.py

gpu-check: $(VENV)/.ready-bench
	$(BIN)/minisam verify --backend cupy
	$(BIN)/python -m pytest -m gpu
	$(BIN)/python benchmarks/gpu.py

site: $(VENV)/.ready-site build/npm/.ready
	$(BIN)/python site/make.py --execute $(or $(EXECUTE),on)

browser-test: $(READY) build/npm/.ready
	MINISAM_VENV=$(abspath $(VENV)) node --test --test-reporter=spec tests/browser/*.test.mjs

browser-all: $(READY) build/npm/.ready
	NOTEBOOKS=all MINISAM_VENV=$(abspath $(VENV)) node --test --test-reporter=spec tests/browser/lite.test.mjs

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "minisam needs Python 3.11 or newer; this is %d.%d: make PYTHON=python3.x" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[test,lessons]"
	@touch $@

$(VENV)/.ready-dev: $(READY)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

$(VENV)/.ready-cupy: $(READY)
	$(BIN)/python -m pip install --quiet --editable ".[cupy-test]"
	@touch $@

$(VENV)/.ready-bench: $(READY)
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	@touch $@

$(VENV)/.ready-conformance: $(READY)
	$(BIN)/python -m pip install --quiet --editable ".[conformance]"
	@touch $@

$(VENV)/.ready-site: $(READY)
	$(BIN)/python -m pip install --quiet --editable ".[site]"
	@touch $@

build/npm/.ready: site/package.json site/package-lock.json
	@command -v npm > /dev/null || { echo "the site and its test need node and npm: apt-get install nodejs npm, or https://nodejs.org"; exit 1; }
	mkdir -p build/npm && cp site/package.json site/package-lock.json build/npm
	npm ci --ignore-scripts --prefix build/npm --no-audit --no-fund --loglevel=error
	@touch $@

clean:
	rm -rf $(VENV)
