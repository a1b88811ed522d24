# Two commands do everything: `make demo` and `make test`. The others are their parts.

PYTHON ?= python3
SERVE ?= 1
EXTRAS ?= dev,postgres
BIN := .venv/bin
STAMP := .venv/.installed
FAST := not (torch or slow or redis or browser or postgres or student)
PARALLEL := -n auto --maxprocesses=4
# Of the slow ring each process takes a run of files, whose servers and students they share, and
# trains on one core: two that train on two cores each take several times as long.
IN_RUNS := $(PARALLEL) --dist worksteal
export SERVE
# What one of the many Pythons of a test run compiles, the others read.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup student demo run test test-fast lint check format

setup: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make setup PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "This Python cannot make environments. On Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --progress-bar on -e '.[$(EXTRAS)]'
	@touch $@

student: setup
	@$(BIN)/python manage.py get_student

demo: student
	@$(BIN)/python manage.py migrate --no-input --verbosity 0
	@$(BIN)/python manage.py demo

run: student
	@$(BIN)/python manage.py serve

test: student
	$(BIN)/python -m pytest $(PARALLEL) -m '$(FAST)'
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(IN_RUNS) -m 'not ($(FAST))'

test-fast: setup
	$(BIN)/python -m pytest $(PARALLEL) -m '$(FAST)'

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

check: lint test-fast

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
