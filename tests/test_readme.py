"""The README stays true: its example runs and prints what it says, and its plan names what is there."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(language: str, number: int) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return found[number]


def test_the_example_runs_and_prints_what_the_readme_says(tmp_path: Path) -> None:
    (tmp_path / "rnn.py").write_text(block("python", 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "rnn.py"]
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    said, printed = block("text", 0).splitlines(), found.stdout.splitlines()
    assert len(printed) == len(said)
    said_of_gradients, printed_of_gradients = said[:-4], printed[:-4]
    assert "the gradient is right: 88 entries" in printed[-5]
    assert [line.split()[:-2] for line in printed_of_gradients[:-1]] == [
        line.split()[:-2] for line in said_of_gradients[:-1]
    ]
    for expected, actual in zip(said[-4:], printed[-4:], strict=True):
        assert actual.split(":")[0] == expected.split(":")[0]
        assert abs(float(actual.split()[-1]) - float(expected.split()[-1])) < 0.01
    assert (tmp_path / "rnn.svg").stat().st_size > 10_000


def test_every_room_stands_in_the_plan_of_the_house() -> None:
    plan = README.split("## The plan of the house")[1].split("## ")[0]
    rooms = [path.name for path in (ROOT / "graphad").iterdir() if (path / "__init__.py").is_file()]
    assert [room for room in rooms if f"{room}/" not in plan] == []


def test_the_files_that_the_readme_links_to_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
