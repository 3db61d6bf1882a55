# Two commands do all the set-up on a fresh Debian or Ubuntu: `make demo` and `make test`.
.PHONY: demo test check engine python pdf browser bench clean
BIN := .venv/bin

demo: engine python pdf
	@command -v curl >/dev/null || apt-get install -y -qq curl
	@.ci/demo

test: engine python pdf browser check
	$(BIN)/pytest -n auto --ignore tests/live
	# Live tests wait for engines and hosts more than they compute: two files at a time. They share this machine's
	# ports and time all the same, so one that fails is tried once more, by itself.
	$(BIN)/pytest tests/live -n 2 --dist loadfile || $(BIN)/pytest tests/live --last-failed --last-failed-no-failures none

check: python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: engine python
	$(BIN)/python benchmarks/run

engine:
	@.ci/engine

python:
	@.ci/python

pdf:
	@.ci/pdf

browser:
	@.ci/browser

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache dist
