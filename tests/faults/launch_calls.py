"""The process of python-on-whales of a labspec that launch.py has started."""

import sys
from pathlib import Path

sys.path[:] = [str(Path(__file__).parent), *sys.argv[1:]]

from launch import serve_calls  # noqa: E402  its folder is known now

sys.argv[1:] = sys.path
serve_calls()
