"""How things look: one colour and one shape for each kind of box, one line for each kind of arrow.

A kind is told twice, by colour and by shape, so that a picture also reads in grey. The colours are those that Okabe
and Ito chose to be told apart with any colour vision (jfly.uni-koeln.de/color); fills are the same hues, made pale.
"""

from __future__ import annotations

from dataclasses import dataclass

FONT = "Helvetica"
INK = "#1f2328"
FAINT = "#6a727b"
"""For what is written beside the boxes: pictures have no background, and this reads on white and on black."""
BACK_LINE, BACK_FILL = "#b04f84", "#b04f8410"
FRAME_LINE, FRAME_FILL = "#aab1b9", "#8080800c"


@dataclass(frozen=True, slots=True)
class BoxStyle:
    """A kind of box: its class in the SVG, its words in the legend, and what Graphviz calls its looks."""

    name: str
    legend: str
    shape: str
    fill: str
    line: str
    look: str = "filled"
    borders: int = 1


@dataclass(frozen=True, slots=True)
class ArrowStyle:
    """A kind of arrow: its class in the SVG, its words in the legend, and what Graphviz calls its looks."""

    name: str
    legend: str
    line: str
    look: str = "solid"
    head: str = "normal"
    width: float = 1.1


INPUT = BoxStyle("input", "input", "invhouse", "#d6ebf8", "#0072b2")
PARAMETER = BoxStyle("parameter", "parameter", "cylinder", "#cceae0", "#009e73")
STATE = BoxStyle("state", "state, not trained", "box3d", "#fbf7c4", "#8f8500")
CONSTANT = BoxStyle("constant", "constant", "ellipse", "#e9eaec", FAINT)
OPERATION = BoxStyle("operation", "operation", "box", "#ffffff", "#57606a", "filled,rounded")
OUTPUT = BoxStyle("output", "output", "octagon", "#fbe2b0", "#b87f00", borders=2)
COTANGENT = BoxStyle("cotangent", "cotangent", "hexagon", "#f6deea", BACK_LINE, "filled,dashed")
BACKWARD = BoxStyle("backward", "backward operation", "box", "#fdf5f9", BACK_LINE, "filled,dashed")
GRADIENT = BoxStyle("gradient", "gradient", "hexagon", "#fbd9c4", "#d55e00", borders=2)
TANGENT = BoxStyle("tangent", "operation on tangents", "component", "#e3f3fc", "#3f8fc0", "filled,dashed")
STEPS = BoxStyle("steps", "steps left out", "folder", "#f3f4f6", FAINT, "filled,dotted")
BOX_STYLES = (INPUT, PARAMETER, STATE, CONSTANT, OPERATION, OUTPUT, COTANGENT, BACKWARD, GRADIENT, TANGENT, STEPS)
"""In the order of the legend."""

VALUE = ArrowStyle("value", "value", "#57606a")
CARRIED = ArrowStyle("carried", "carried to the next step", "#57606a", width=2.6)
KEPT = ArrowStyle("kept", "kept for the backward pass", "#a1a9b2", head="vee", width=0.8)
PULLED = ArrowStyle("pulled", "value of the backward pass", BACK_LINE, "dashed")
PULLED_ACROSS = ArrowStyle("pulled-across", "carried to the step before", BACK_LINE, "dashed", width=2.6)
ARROW_STYLES = (VALUE, CARRIED, KEPT, PULLED, PULLED_ACROSS)
"""In the order of the legend."""

SIGNS = {"ᵀ": "ᵀ: transposed on the way", "→": "a → b: repeated from type a to shape b"}
"""Signs in the texts of arrows, and their meaning."""
LEVEL = "d_h: the cotangent of h, on a level with it"
