"""The report as Markdown, which is also what the screen shows, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tools.benchmark.figures import FASTEST, Figures, Mean, means
from tools.benchmark.peers.catalogue import BY_HAND, PEERS, REMEDY
from tools.benchmark.settings import RNNS, SETTINGS
from tools.benchmark.timing import Measurement

HEADLINE = [setting.name for setting in RNNS]
_ONE_CORE = 1.1  # processor time by time passed: more than this is more than one thread

_NOTES = """\
A setting is called by its steps, inputs, hidden units and batch. A training step is: forward, loss, backward, and
gradient descent in place, in float32. All start from the same weights; before it is timed, each peer's loss and update
are compared with graphad's. Batches are (batch, steps, inputs) and lie in the library's own arrays before the clock
starts, which favours the libraries: graphad and the yardstick get numpy's. A step ends when its loss and weights are
there. Libraries run as they come, without a graphics card: PyTensor's C code uses a BLAS only where it finds one to
link, and PyTorch does not flush subnormal numbers, which long recurrences make.
"""


@dataclass(frozen=True)
class Run:
    """All that a report tells."""

    machine: str
    versions: dict[str, str]
    blas: str
    dropped: dict[str, str]  # variables of the environment that the workers were not given
    one_thread: bool
    seconds: float
    peers: Sequence[str]
    settings: Sequence[str]
    measurements: Sequence[Measurement]

    def cell(self, peer: str, setting: str, write: Callable[[Measurement], str]) -> str:
        """What there is to say of a peer in a setting."""
        found = next((each for each in self.measurements if (each.peer, each.setting) == (peer, setting)), None)
        if found is None:
            return "-"  # the two do not go together
        return _in_short(found) if found.problem else write(found)

    @property
    def failures(self) -> list[Measurement]:
        """Those that should have been measured and were not."""
        return [each for each in self.measurements if each.problem and not PEERS[each.peer].missing]

    def groups(self) -> dict[str, list[str]]:
        """The settings of the headline, and all, by what they are called."""
        headline = [name for name in self.settings if name in HEADLINE]
        groups = {f"{len(headline)} tanh RNNs": headline, f"all {len(self.settings)} settings": list(self.settings)}
        return {title: names for title, names in groups.items() if names}


def markdown(run: Run) -> str:
    """The whole report."""
    parts = [_heading(run)]
    for group in (HEADLINE, [name for name in SETTINGS if name not in HEADLINE]):
        settings = [name for name in group if name in run.settings]
        if settings:
            parts += [_step_table(run, settings), _first_table(run, settings)]
    return "\n".join([*parts, _ratio_table(run), *_remarks(run)])


def as_json(run: Run) -> dict[str, Any]:
    """The whole run, round by round, with the report's ratios; null where there is no number."""
    measurements = [
        {**asdict(each), "median_ms": each.median_ms, "best_ms": each.best_ms, "cores": each.cores}
        for each in run.measurements
    ]
    ratios = {title: [asdict(mean) for mean in means(run.measurements, group)] for title, group in run.groups().items()}
    facts: dict[str, Any] = _numbers_only({**asdict(run), "measurements": measurements, "ratios": ratios})
    return facts


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its columns aligned, the first to the left."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join([cells[0].ljust(widths[0]), *others])} |\n"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return f"{line(header)}|{rule}|\n{''.join(map(line, rows))}"


def _heading(run: Run) -> str:
    threads = "one thread" if run.one_thread else "as many threads as each library likes"
    where = f"{run.machine}; {threads}; {run.seconds:g} s of training for each peer and setting, in turns."
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    versions += f"; numpy's products by {run.blas}."
    dropped = " ".join(f"{name}={value}" for name, value in run.dropped.items())
    without = f"Set here, but kept from the libraries: {dropped}.\n" if dropped else ""
    return f"# Training steps, side by side\n\n{where}\n{versions}\n{without}\n{_NOTES}"


def _step_table(run: Run, settings: Sequence[str]) -> str:
    rows = _rows(run, settings, lambda each: _pair(each.median_ms, each.best_ms))
    median, best = (Figures(run.measurements, quantity) for quantity in ("median_ms", "best_ms"))
    for title, other in ((FASTEST, FASTEST), (BY_HAND.title, BY_HAND.name)):
        of_median, of_best = median.ratios(other), best.ratios(other)
        cells = [_pair(of_median.get(s, math.nan), of_best.get(s, math.nan)) for s in settings]
        rows.append([f"graphad / {title}", *cells])
    return "## Step, ms: median (best)\n\n" + table(["", *settings], rows)


def _first_table(run: Run, settings: Sequence[str]) -> str:
    rows = _rows(run, settings, lambda each: f"{_number(each.first_seconds)} s {each.memory / 1e6:6.0f} MB")
    heading = "## First call (declare, compile, one step) and peak memory, both beyond imports\n\n"
    return heading + table(["", *settings], rows)


def _rows(run: Run, settings: Sequence[str], write: Callable[[Measurement], str]) -> list[list[str]]:
    return [[PEERS[peer].title, *(run.cell(peer, setting, write) for setting in settings)] for peer in run.peers]


def _ratio_table(run: Run) -> str:
    """One row for each peer: a geometric mean for each group of settings."""
    groups = run.groups()
    columns = [{mean.other: mean for mean in means(run.measurements, group)} for group in groups.values()]
    sizes = [len(group) for group in groups.values()]
    rows = [
        [other, *(_mean_cell(column.get(other), size) for column, size in zip(columns, sizes, strict=True))]
        for other in columns[-1]
    ]
    heading = "## graphad's time by theirs, geometric means: of medians (of best steps)\n\n"
    return heading + table(["", *groups], rows) if rows else ""


def _mean_cell(mean: Mean | None, size: int) -> str:
    if mean is None:
        return "-"
    return _pair(mean.median, mean.best) + ("" if mean.count == size else f" of {mean.count}")


def _remarks(run: Run) -> list[str]:
    """Who did not take part, and who used more than one thread where that was not asked for."""
    absent = [PEERS[name] for name in run.peers if PEERS[name].missing]
    remarks = [f"- {peer.title}: not installed ({', '.join(peer.missing)}): {REMEDY}" for peer in absent]
    remarks += [f"- {PEERS[each.peer].title}, {each.setting}: {each.problem}" for each in run.failures]
    if run.one_thread:
        busy = [each for each in run.measurements if each.cores > _ONE_CORE]
        remarks += [f"- {PEERS[each.peer].title}, {each.setting}: used {each.cores:.2f} cores" for each in busy]
    return ["## Remarks\n", *remarks, ""] if remarks else []


def _in_short(measurement: Measurement) -> str:
    """A problem as a cell holds it; the remarks tell the whole."""
    return "not installed" if PEERS[measurement.peer].missing else "failed"


def _number(value: float) -> str:
    """Three digits, more of them before the point if need be."""
    if math.isnan(value):
        return "-"
    digits = 2 - math.floor(math.log10(value)) if value > 0 else 2
    return f"{value:.{min(max(digits, 0), 4)}f}"


def _pair(median: float, best: float) -> str:
    return "-" if math.isnan(median) else f"{_number(median)} ({_number(best)})"


def _numbers_only(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, dict):
        return {key: _numbers_only(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_numbers_only(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
