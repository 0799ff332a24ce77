"""The step times as a picture: a panel for each setting, a bar for each peer."""

from __future__ import annotations

import io
import math
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from tools.benchmark.peers.catalogue import BY_HAND, OURS, PEERS
from tools.benchmark.report import Run

_COLUMNS = 3
_COLOURS = {OURS.name: "#d1495b", BY_HAND.name: "#8d99ae"}
_OTHERS = "#30638e"


def svg(run: Run) -> bytes:
    """Median steps as bars, on a scale of their own in each panel; the best step as a line across the bar."""
    rows = math.ceil(len(run.settings) / _COLUMNS)
    figure = Figure(figsize=(4.2 * _COLUMNS, (0.6 + 0.24 * len(run.peers)) * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).flat
    for setting, panel in zip(run.settings, panels, strict=False):
        _draw(panel, run, setting)
    for panel in list(panels)[len(run.settings) :]:
        panel.set_axis_off()
    figure.suptitle("training step, ms: median, and the best as a line")
    content = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "graphad"}):  # the same bytes for the same run
        figure.savefig(content, format="svg", metadata={"Date": None})
    return content.getvalue()


def _draw(panel: Any, run: Run, setting: str) -> None:
    timed = [each for each in run.measurements if each.setting == setting and not each.problem]
    places = range(len(timed))
    medians = [each.median_ms for each in timed]
    panel.barh(places, medians, color=[_COLOURS.get(each.peer, _OTHERS) for each in timed])
    for place, each in zip(places, timed, strict=True):
        panel.plot([each.best_ms] * 2, [place - 0.4, place + 0.4], color="black", linewidth=1)
        panel.text(each.median_ms, place, f" {each.median_ms:.3g}", va="center", fontsize=7)
    panel.set_yticks(places, [PEERS[each.peer].title for each in timed], fontsize=7)
    panel.invert_yaxis()
    panel.tick_params(axis="x", labelsize=7)
    panel.set_xlim(0, 1.18 * max(medians, default=1.0))
    panel.set_title(setting, fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
