# Everything starts from a fresh clone: each target first sees to the virtual environment .venv.
PYTHON ?= python3
VENV := $(or $(MINISAM_VENV),.venv)
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lessons lessons-run figures lint mutation bench accuracy gpu-check clean

demo: $(READY)
	$(BIN)/minisam demo

test: $(READY)
	$(BIN)/python -m pytest

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

accuracy: $(READY)
	$(BIN)/python benchmarks/accuracy.py

gpu-check: $(VENV)/.ready-bench
	$(BIN)/minisam verify --backend cupy
	$(BIN)/python -m pytest -m gpu
	$(BIN)/python benchmarks/gpu.py

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "minisam needs Python 3.11 or newer; this is %d.%d: make PYTHON=python3.x" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[test,lessons]"
	@touch $@

$(VENV)/.ready-dev: $(READY)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

$(VENV)/.ready-bench: $(READY)
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	@touch $@

clean:
	rm -rf $(VENV)
