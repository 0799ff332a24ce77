"""The command line: a thin door to training, drawing and checking.

Progress and notices go to stderr, results to stdout; with ``--json`` stdout holds one JSON object for each event and
nothing else. An error is one line with its remedy: exit 2 for misuse, 1 for failure.
"""

from __future__ import annotations

import importlib.util
import json
import reprlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial, wraps
from math import isfinite
from pathlib import Path
from statistics import median
from types import FunctionType, ModuleType
from typing import Any

import click
from numpy.random import default_rng
from tqdm import tqdm

from graphad.autodiff.reverse import grad
from graphad.check.comparison import MODES
from graphad.check.gradients import Settings, examine
from graphad.check.result import GradientCheck, table
from graphad.compiler.function import BACKENDS, Function, compile
from graphad.compiler.verification import random_array
from graphad.data.mnist import Mnist, load_mnist
from graphad.errors import ArgumentError, GraphadError
from graphad.files import write_whole
from graphad.ir import nest
from graphad.ir.graph import Graph
from graphad.ir.leaves import Input
from graphad.ir.node import Node
from graphad.linting.facts import trained_parameters
from graphad.linting.linter import Warning, lint
from graphad.render.drawing import draw as draw_nodes
from graphad.render.drawing import draw_gradient
from graphad.train import checkpoint
from graphad.train.loop import Epoch, Options, Training, evaluate, prepare
from graphad.train.loop import train as train_epochs
from graphad.train.recipes import RECIPES, Recipe

Command = Callable[..., None]


class _Failure(click.ClickException):
    """One line on stderr, exit 1."""

    exit_code = 1


def _reports_errors(command: Command) -> Command:
    """What graphad raises on purpose is one line for the user; misuse of the command line is click's to report."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except ArgumentError as error:
            raise click.UsageError(str(error)) from error
        except GraphadError as error:
            raise _Failure(str(error)) from error

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="graphad")
def main() -> None:
    """A static-graph compiler with automatic differentiation: train nets, look at their graphs."""


@main.command("list")
def list_recipes() -> None:
    """Name the nets that can be trained."""
    width = max(map(len, RECIPES))
    for recipe in RECIPES.values():
        usual = f"{recipe.epochs} epochs, batches of {recipe.batch_size}, learning rate {recipe.learning_rate:g}"
        click.echo(f"{recipe.name:<{width}}  {recipe.summary}; {usual}")


@main.command()
@click.argument("name", type=click.Choice(list(RECIPES)))
@click.option("--epochs", type=click.IntRange(min=1), help="Times to go through the training set.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Images in a batch.")
@click.option("--lr", "learning_rate", type=click.FloatRange(min=0, min_open=True), help="The learning rate.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights and batches.")
@click.option("--data", type=click.Path(path_type=Path), help="A folder with the data set.")
@click.option("--out", type=click.Path(path_type=Path), help="A folder for graph.svg, program.py, history and weights.")
@click.option("--backend", type=click.Choice(BACKENDS), default="numpy", show_default=True, help="What runs the graph.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each event.")
@_reports_errors
def train(name: str, data: Path | None, out: Path | None, resume: bool, as_json: bool, **chosen: Any) -> None:
    """Train the net NAME and say how well it does on the test set."""
    if resume and out is None:
        raise click.UsageError("--resume goes on from the checkpoint in --out: give --out too")
    recipe = RECIPES[name]
    usual = Options(recipe.epochs, recipe.batch_size, recipe.learning_rate)
    options = replace(usual, **{key: value for key, value in chosen.items() if value is not None})
    output = _Output(as_json, out)
    _train(recipe, options, load_mnist(data), output, resume)


@dataclass(frozen=True)
class _Output:
    """Where a training tells of itself."""

    as_json: bool
    folder: Path | None

    def event(self, event: str, text: str, **facts: Any) -> None:
        """Say what happened, to people or to programs."""
        click.echo(json.dumps({"event": event, **facts}) if self.as_json else text)

    def write(self, name: str, content: str) -> None:
        """Write a text file into the folder, if there is one."""
        if self.folder is not None:
            write_whole(self.folder / name, content.encode())


def _train(recipe: Recipe, options: Options, data: Mnist, output: _Output, resume: bool) -> None:
    training = prepare(recipe, options)
    saved = None if output.folder is None else output.folder / "checkpoint.npz"
    if resume and saved is not None:
        checkpoint.restore(training, saved)
    output.event("start", f"{recipe.name}: {recipe.summary}\ndata: {data.source.note}", **_facts(recipe, options, data))
    compiled = f"compiled in {training.compile_seconds:.3f} s"
    output.event("compiled", compiled, compile_seconds=training.compile_seconds)
    _write_graph(training, output)
    history: list[Epoch] = []
    with _bar(output) as on_batch:
        for epoch in train_epochs(training, data, on_batch):
            history.append(epoch)
            _report_epoch(epoch, options, output)
            if saved is not None:
                checkpoint.save(training, saved)
    _report_result(training, data, history, output)


def _facts(recipe: Recipe, options: Options, data: Mnist) -> dict[str, Any]:
    return {"name": recipe.name, **asdict(options), "data": data.source.note, "data_kind": data.source.kind}


def _write_graph(training: Training, output: _Output) -> None:
    """The picture of the forward and the gradient graph, and the program that will run."""
    if output.folder is None:
        return
    drawing = draw_gradient(training.net.loss, list(training.net.parameters))
    drawing.save(output.folder / "graph.svg")
    output.write("program.py", training.step.source)
    picture, program = output.folder / "graph.svg", output.folder / "program.py"
    text = f"wrote {picture} (forward and gradient graph) and {program} (the emitted program)"
    output.event("written", text, picture=str(picture), program=str(program))


@contextmanager
def _bar(output: _Output) -> Iterator[Callable[[int, int, int, float], None]]:
    """A progress bar on stderr, if that is a terminal."""
    with tqdm(total=1, unit="batch", leave=False, disable=True if output.as_json else None) as bar:

        def on_batch(epoch: int, done: int, of: int, loss: float) -> None:
            if done == 1:
                bar.reset(of)
                bar.set_description(f"epoch {epoch}")
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            bar.update()

        yield on_batch


def _report_epoch(epoch: Epoch, options: Options, output: _Output) -> None:
    accuracy = f"test accuracy {100 * epoch.test_accuracy:.2f} %"
    text = f"epoch {epoch.number}/{options.epochs}: loss {epoch.loss:.4f}, {accuracy}, {epoch.seconds:.2f} s"
    output.event("epoch", text, **asdict(epoch))


def _report_result(training: Training, data: Mnist, history: list[Epoch], output: _Output) -> None:
    accuracy = history[-1].test_accuracy if history else evaluate(training, data.test_images, data.test_labels)
    seconds = median(epoch.seconds for epoch in history) if history else 0.0
    facts = {
        "test_accuracy": accuracy,
        "epoch_seconds": seconds,
        "compile_seconds": training.compile_seconds,
        "epochs": training.epochs_done,
        "data_kind": data.source.kind,
    }
    output.write("history.json", json.dumps({**facts, "history": [asdict(epoch) for epoch in history]}, indent=1))
    times = f"{seconds:.2f} s per epoch (median), compiled in {training.compile_seconds:.3f} s"
    text = f"test accuracy {100 * accuracy:.2f} %, {times}, on {len(data.test_images):,} test images"
    output.event("result", text, **facts)


@main.command()
@click.argument("target", metavar="FILE.py:NAME")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file: .svg .png .pdf .dot .txt")
@click.option("--gradient", "wrt", metavar="NAMES", help="Draw the gradient of the scalar NAME by these, a,b,c.")
@_reports_errors
def draw(target: str, out: Path, wrt: str | None) -> None:
    """Draw the graph of the node, the nodes or the compiled function NAME that FILE.py declares."""
    declared = _Declared.by(target)
    found = declared.graph(declared.name)
    parameters = None if wrt is None else [declared.graph(name) for name in wrt.split(",")]
    drawing = draw_nodes(found) if parameters is None else draw_gradient(found, parameters)
    drawing.save(out)
    click.echo(f"wrote {out}")


@main.command()
@click.argument("target", metavar="FILE.py:NAME")
@click.option("--order", type=click.IntRange(1, 2), default=1, show_default=True, help="Of the derivatives.")
@click.option("--mode", type=click.Choice(MODES), default="auto", show_default=True, help="What is moved.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of inputs and directions.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=1e-6,
    show_default=True,
    help="The difference that is allowed, relative to the derivative.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each event.")
@_reports_errors
def check(target: str, as_json: bool, **settings: Any) -> None:
    """Check the gradient of the loss NAME that FILE.py declares, against central differences.

    NAME is a scalar node, a pair (loss, wrt), or a function without arguments that returns one of these. Without wrt,
    it is checked for all trained parameters. Warnings of what else looks like a mistake follow.
    """
    loss, wrt = _loss_in(target)
    found = examine(loss, wrt, Settings(**settings))
    output = _Output(as_json, None)
    _report_check(found, lint(loss), output)
    if not found.right:
        raise _Failure(found.error)


def _loss_in(target: str) -> tuple[Node, Any]:
    """The loss that a file declares, and what its gradient is by."""
    declared = _Declared.by(target)
    found = declared.called(declared.name)
    loss, wrt = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
    if not isinstance(loss, Node) or loss.shape != () or not loss.type.is_float:
        raise ArgumentError(
            f"{target} is no loss: that is a scalar node of floats, a pair (loss, wrt), or a function that returns one "
            f"of these; got {reprlib.repr(loss)}"
        )
    parameters = trained_parameters(loss) if wrt is None else wrt
    if not nest.leaves(parameters):
        raise ArgumentError(f"the gradient of {target} reaches no trained parameter: give it as a pair (loss, wrt)")
    return loss, parameters


def _report_check(found: GradientCheck, warnings: Sequence[Warning], output: _Output) -> None:
    title, *lines = table(found.variables)
    if not output.as_json:
        click.echo(title)
    for line, row in zip(lines, found.variables, strict=True):
        rough = [f"  not smooth, so not told: {text}" for text in row.rough]
        output.event("parameter", "\n".join([line, *rough]), **{**asdict(row), "worst": _number(row.worst)})
    for one in warnings:
        place = one.node.origin.place
        output.event("warning", f"warning: {one}", kind=one.kind, message=one.message, place=place, count=one.count)
    facts = {"right": found.right, "entries": found.entries, "directions": found.directions}
    output.event("result", found.summary, **facts, worst=_number(found.worst), where=found.where, error=found.error)


@main.command("profile")
@click.argument("target", metavar="FILE.py:NAME")
@click.option("--size", type=click.IntRange(min=1), default=32, show_default=True, help="Of every named size.")
@click.option("--runs", type=click.IntRange(min=1), default=20, show_default=True, help="Calls that are timed.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A .json file for the trace of one call.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each event.")
@_reports_errors
def profile_loss(target: str, size: int, runs: int, out: Path | None, as_json: bool) -> None:
    """Time each statement of the loss NAME that FILE.py declares and of its gradient, on random data.

    NAME is what `graphad check` takes. A trace opens in Perfetto, https://ui.perfetto.dev.
    """
    loss, wrt = _loss_in(target)
    inputs = tuple(node for node in Graph((), (loss,)).nodes if isinstance(node.op, Input))
    step = compile(inputs, [loss, *nest.leaves(grad(loss, wrt))])
    sized, generator = Graph(inputs, (loss,)).specialise(dict.fromkeys(step.size_names, size)), default_rng(0)
    found = step.profile(*(random_array(node, generator) for node in sized.inputs), runs=runs)
    output = _Output(as_json, None)
    for entry in found.entries if as_json else ():
        output.event("statement", "", statement=entry.text, place=entry.node.origin.place, **entry.figures())
    output.event("result", str(found), seconds=found.seconds, product_rate=found.product_rate)
    if out is not None:
        found.save(out)


def _number(value: float) -> float | None:
    """What JSON can hold: it has no infinity and no NaN."""
    return value if isfinite(value) else None


@dataclass(frozen=True)
class _Declared:
    """What FILE.py:NAME means: the file has been run, and its names can be looked up."""

    file: str
    name: str
    module: ModuleType

    @staticmethod
    def by(target: str) -> _Declared:
        """Run the file of the target."""
        file, separator, name = target.rpartition(":")
        path = Path(file)
        if not separator or not name:
            raise ArgumentError(f"{target!r}: say which name is meant, as in net.py:loss")
        if not path.is_file():
            raise ArgumentError(f"there is no file {file!r}")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ArgumentError(f"{file!r} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.path.insert(0, str(path.parent.resolve()))
        _running(file, partial(spec.loader.exec_module, module))
        return _Declared(file, name, module)

    def graph(self, name: str) -> Any:
        """The nodes, the graph or the compiled function of a name."""
        value = getattr(self.module, name, None)
        if not isinstance(value, (Function, Graph)) and not all(isinstance(leaf, Node) for leaf in nest.leaves(value)):
            raise ArgumentError(f"{self.file} declares no node, nodes, graph or function called {name!r}")
        return value

    def called(self, name: str) -> Any:
        """What a name stands for; of a Python function, what it returns."""
        value = getattr(self.module, name, None)
        if value is None:
            raise ArgumentError(f"{self.file} declares no {name!r}")
        return _running(self.file, value) if isinstance(value, FunctionType) else value


def _running(file: str, function: Callable[[], Any]) -> Any:
    """Run the user's code; what it raises is told with its file."""
    try:
        return function()
    except Exception as error:
        raise _Failure(f"{file} could not be run: {type(error).__name__}: {error}") from error
