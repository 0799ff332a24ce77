"""The examples run from start to end, on the bundled sample, and do what their first lines say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphad.data.mnist import SAMPLE

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize(("name", "least"), [("mnist_rnn", 75.0), ("mnist_mlp", 90.0)])
def test_an_example_trains_and_draws(name: str, least: float, tmp_path: Path) -> None:
    environment = {**os.environ, "GRAPHAD_DATA": str(SAMPLE)}
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    last = [line for line in found.stdout.splitlines() if "test accuracy" in line][-1]
    assert float(last.split("test accuracy ")[1].split("%")[0]) >= least
    assert (tmp_path / f"{name}.svg").read_text().lstrip().startswith("<")


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda script: script.stem)
def test_an_example_is_under_80_lines_and_uses_the_public_names_only(script: Path) -> None:
    text = script.read_text()
    assert len(text.splitlines()) < 80
    assert "from graphad" not in text
    assert "import graphad as ga" in text
