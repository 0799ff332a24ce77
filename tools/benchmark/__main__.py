"""Compare training steps of graphad with those of its peers, side by side in one run.

Progress goes to stderr, the report to stdout; the exit status is 1 if a peer failed or computed something else than
graphad. Settings and peers are names and patterns, separated by commas.

For example: tools/bench --settings 'rnn-*' --peers 'by-hand,jax-*' --seconds 1
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from graphad.errors import OutputFileError
from graphad.files import write_whole
from tools.benchmark import machine
from tools.benchmark.peers.catalogue import OURS, PEERS, REMEDY
from tools.benchmark.process import dropped_variables
from tools.benchmark.report import Run, as_json, markdown
from tools.benchmark.settings import SETTINGS
from tools.benchmark.timing import Measurement, Plan, measure

_POSITIVE = click.FloatRange(min=0, min_open=True)


def _chosen(names: Iterable[str]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Reads patterns, each of which must match a name at least."""
    known = list(names)

    def read(context: click.Context, parameter: click.Parameter, patterns: str) -> list[str]:
        wanted = patterns.split(",")
        for pattern in wanted:
            if not any(fnmatchcase(name, pattern) for name in known):
                raise click.BadParameter(f"{pattern!r} matches none of {', '.join(known)}", context, parameter)
        return [name for name in known if any(fnmatchcase(name, pattern) for pattern in wanted)]

    return read


@dataclass(frozen=True)
class _Output:
    """Where the run tells of itself."""

    folder: Path | None
    as_events: bool

    def event(self, event: str, text: str, **facts: object) -> None:
        """Say how it goes, to people or to programs."""
        if self.as_events:
            click.echo(json.dumps({"event": event, **facts}))
        else:
            click.echo(text, err=True)

    def started(self, each: Measurement) -> None:
        """A peer's first step, or why there was none."""
        text = each.problem or f"agrees with graphad to {each.disagreement:.1e}, first call {each.first_seconds:.2f} s"
        first = None if each.problem else each.first_seconds
        facts = {"setting": each.setting, "peer": each.peer, "problem": each.problem, "first_seconds": first}
        self.event("started", f"{each.setting:<18} {PEERS[each.peer].title:<22} {text}", **facts)

    def write(self, run: Run) -> None:
        """The files, whole; after each setting, so that an interrupted run leaves what it has."""
        if self.folder is None:
            return
        write_whole(self.folder / "bench.md", markdown(run).encode())
        write_whole(self.folder / "bench.json", (json.dumps(as_json(run), indent=1) + "\n").encode())
        if find_spec("matplotlib") is not None:
            write_whole(self.folder / "bench.svg", import_module("tools.benchmark.plot").svg(run))

    def finish(self, run: Run) -> None:
        """Where the files are, and the report."""
        if self.folder is not None:
            self.event("written", f"wrote bench.md and bench.json into {self.folder}", folder=str(self.folder))
            if find_spec("matplotlib") is None:
                self.event("unplotted", f"no bench.svg: matplotlib is not installed: {REMEDY}")
        click.echo(json.dumps({"event": "result", **as_json(run)}) if self.as_events else markdown(run))


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, help=__doc__)
@click.option("--settings", callback=_chosen(SETTINGS), default="*", help=f"Of {', '.join(SETTINGS)}.")
@click.option(
    "--peers", callback=_chosen(PEERS), default="*", help=f"Of {', '.join(PEERS)}. graphad always takes part."
)
@click.option("--seconds", type=_POSITIVE, default=3.0, show_default=True, help="Of training, per peer and setting.")
@click.option("--threads", type=click.Choice(["1", "default"]), default="1", show_default=True, help="Of each library.")
@click.option("--patience", type=_POSITIVE, default=900.0, show_default=True, help="Seconds to wait for a first step.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="A folder for bench.md, .json and .svg.")
@click.option("--json", "as_events", is_flag=True, help="Print one JSON object for each event, the last the result.")
def main(
    settings: list[str],
    peers: list[str],
    seconds: float,
    threads: str,
    patience: float,
    out: Path | None,
    as_events: bool,
) -> None:
    """Measure setting by setting."""
    plan = Plan(seconds, threads == "1", patience)
    names = list(dict.fromkeys([OURS.name, *peers]))
    output, measurements = _Output(out, as_events), list[Measurement]()

    def run_so_far() -> Run:
        where = machine.processor(), machine.versions(), machine.blas(), dropped_variables()
        return Run(*where, plan.one_thread, plan.seconds, names, settings[: settings.index(setting) + 1], measurements)

    try:
        for setting in settings:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                taking_part = [PEERS[name] for name in names]
                measurements += measure(SETTINGS[setting], taking_part, plan, Path(folder), output.started)
            output.write(run_so_far())
    except OutputFileError as error:
        raise click.ClickException(str(error)) from error
    output.finish(run_so_far())
    sys.exit(1 if run_so_far().failures else 0)


if __name__ == "__main__":
    main(prog_name="tools/bench")
