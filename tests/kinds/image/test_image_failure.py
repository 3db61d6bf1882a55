"""What is told of a build that failed, from recorded logs of buildx 0.13."""

from __future__ import annotations

import pytest

from labspec.kinds.image.failure import build_failure

EXITED = """#5 [2/3] RUN echo hello && false
#5 0.212 \x1b[31mhello\x1b[0m
#5 ERROR: process "/bin/sh -c echo hello && false" did not complete successfully: exit code: 1
------
 > [2/3] RUN echo hello && false:
0.212 \x1b[31mhello\x1b[0m
------
Dockerfile:2
--------------------
   1 |     FROM labspec-test/busybox
   2 | >>> RUN echo hello && false
--------------------
ERROR: failed to solve: process "/bin/sh -c echo hello && false" did not complete successfully: exit code: 1
"""
UNRESOLVED = """#2 [internal] load metadata for docker.io/library/nothing:1
#2 ERROR: failed to do request: dial tcp: lookup registry-1.docker.io: no such host
------
 > [internal] load metadata for docker.io/library/nothing:1:
------
ERROR: failed to solve: nothing:1: failed to resolve source metadata for docker.io/library/nothing:1: no such host
"""
UNPARSED = "ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUM (did you mean RUN?)\n"


@pytest.mark.parametrize(
    ("log", "code", "message", "hint"),
    [
        (EXITED, 1, "image t: exit code 1 of: RUN echo hello && false\n  | hello", "nothing of the lab was changed"),
        (UNRESOLVED, 1, "image t: the build failed at: load metadata for", "neither on this host nor can it be pulled"),
        (UNPARSED, 1, "image t: the build failed: dockerfile parse error on line 3: unknown", "correct the step"),
        ("", 124, "image t: the build did not end in time", "does a step wait"),
        ("", 1, "image t: the build failed: no reason was given", "nothing of the lab"),
        (
            "unknown command: docker buildx\n",
            1,
            "image t: the build failed: unknown command",
            "install the buildx plugin",
        ),
    ],
)
def test_the_step_and_its_last_lines(log: str, code: int, message: str, hint: str) -> None:
    (found,) = build_failure("t", log.splitlines(keepends=True), code).diagnostics
    assert found.message.startswith(message)
    assert hint in str(found.hint)
    assert found.message.replace("\n", "").isprintable()
