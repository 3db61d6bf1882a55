# Two commands do all the set-up on a fresh Debian or Ubuntu: `make demo` and `make test`.
.PHONY: demo test check engine python bench clean
BIN := .venv/bin

demo: engine python
	@command -v curl >/dev/null || apt-get install -y -qq curl
	@.ci/demo

test: engine python check
	$(BIN)/pytest -n auto --ignore tests/live
	$(BIN)/pytest tests/live

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

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache dist
