# make train    set up and run the main job; ARGS="--epochs 500" passes settings on
# make test     set up and pass the tests
# make test-arithmetic  pass those of training, and the figures, with other rounding, too
# make lint     check style
# make notebooks  set up Jupyter and open the lessons
# make results  run the commands that the README and docs/ quote, and write their output
# make check-results  run them and fail where a page says something else
# make page     put the page that trains in a browser together, docs/index.html
# make pictures  renew the pictures of the README and of docs/
# make benchmarks  measure the speed against other libraries, and write it into docs/speed.md

PYTHON ?= python3
BIN := .venv/bin

.PHONY: train test test-arithmetic lint notebooks page results check-results pictures benchmarks

train: .venv/installed
	$(BIN)/python train.py $(ARGS)

test: .venv/installed-dev
	$(BIN)/python -m pytest $(ARGS)

test-arithmetic: .venv/installed-dev
	$(BIN)/python tests/arithmetic.py $(ARGS)

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

notebooks: .venv/installed-dev
	$(BIN)/jupyter lab notebooks

page: .venv/installed
	mkdir -p docs
	$(BIN)/python -m lab.page docs/index.html

results: .venv/installed
	$(BIN)/python tools/results.py

check-results: .venv/installed
	$(BIN)/python tools/results.py --check

pictures: .venv/installed
	mkdir -p pictures
	$(BIN)/python train.py --animate --out outputs
	$(BIN)/python train.py --seeds 100 --out outputs/seeds
	$(BIN)/python tools/gallery.py pictures/datasets.png
	$(BIN)/python -m lab.study_pictures pictures
	cp outputs/training.gif outputs/decision_boundary.png outputs/seeds/seeds.png \
		outputs/seeds/boundaries.png pictures

benchmarks:
	$(PYTHON) -m benchmarks.run $(ARGS)

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@
