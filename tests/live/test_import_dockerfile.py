"""Imported Dockerfiles, built: the image of the spec has the layers, history and settings of the original."""

from __future__ import annotations

import json
import shlex
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cleaning import run

from labspec.cli.main import run as labspec
from labspec.kinds.image.dockerfile import dockerfile_text
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse

pytestmark = pytest.mark.live

FILES = {
    "stages": """
ARG WHO=nobody
FROM {base} AS Tools
ARG WHO
RUN mkdir /out && \\
    # a comment inside
    echo "made by $WHO" > /out/who && \\
    echo "a  b" >> /out/who
FROM {base}
LABEL org.opencontainers.image.title="two words" single='$literal' three=3
ENV A=1 B="two words" C=$A
ENV D e  f
COPY --from=tools --chmod=0640 /out/who /who
WORKDIR "/srv/my folder"
EXPOSE 80 53/udp
VOLUME /data
STOPSIGNAL SIGINT
USER 1000:1000
HEALTHCHECK --interval=1m30s --retries=2 CMD test -e /who || exit 1
ENTRYPOINT exec sh -c \\
    "echo $A"
CMD ["x", "y z"]
""",
    "heredocs": """
# syntax is what the engine has
FROM {base}
SHELL ["/bin/sh", "-ec"]
RUN <<EOF
echo "$0" > /one
printf 'a\\tb\\n' >> /one
EOF
RUN cat > /two <<'END' && chmod 600 /two
$literal
END
ENV X=expanded
COPY <<A <<B /files/
a $X
A
b $A
B
COPY <<A <<"B" /mixed/
a $X
A
b $X
B
RUN <<EOF
  echo one && \\
    echo two > /three
EOF
ENV D=\\\\$X E=${X:+"and more"} F="$X"y
COPY <<EOF /tabs
\tindented
EOF
RUN --mount=type=tmpfs,target=/scratch --network=none touch /scratch/x
ONBUILD RUN a \\
  && b
ONBUILD ENV P=q
CMD []
MAINTAINER A B <a@example.org>
""",
}


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Return a function that builds a Dockerfile and returns what is in the image."""
    tags: list[str] = []

    def built(text: str) -> dict[str, Any]:
        tag = f"labspec-test-import-{uuid.uuid4().hex[:8]}"
        tags.append(tag)
        command = ["docker", "build", "-q", "-t", tag, "-f", "-", str(tmp_path)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        (found,) = json.loads(run("docker", "image", "inspect", tag))
        # A trigger is kept as it is written: quotes and all.
        triggers = [shlex.split(line) for line in found["Config"].pop("OnBuild", None) or ()]
        history = run("docker", "history", "--no-trunc", "--format", "{{.CreatedBy}} {{.Comment}}", tag)
        return {
            "settings": found["Config"],
            "triggers": triggers,
            "author": found["Author"],
            "layers": found["RootFS"]["Layers"],
            "history": history.splitlines(),
        }

    yield built
    for tag in tags:
        subprocess.run(["docker", "rmi", "-f", tag], capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("name", FILES)
def test_the_image_is_the_same(
    name: str, busybox: str, tmp_path: Path, build: Callable[[str], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    text = FILES[name].replace("{base}", busybox).lstrip()
    (tmp_path / "Dockerfile").write_text(text)
    spec = tmp_path / "lab.yaml"
    arguments = ["import", "dockerfile", str(tmp_path / "Dockerfile"), "--image", "x", "--strict", "-o", str(spec)]
    assert labspec(arguments) == 0, capsys.readouterr().err
    assert labspec(["validate", str(spec)]) == 0, capsys.readouterr().err
    document = parse(spec.read_bytes(), str(spec), Report())
    assert document is not None
    image = document.value["images"]["x"]
    imported = dockerfile_text(image["from"], image["steps"], args=image.get("args"))
    assert build(imported) == build(text)
