"""What training has come to, in one file: a zip of arrays (numpy's .npz), written whole, read without pickle."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from graphad.errors import DataError
from graphad.files import write_whole
from graphad.train.loop import Training

_EPOCHS, _STEPS = "epochs done", "steps done"


def save(training: Training, path: Path) -> None:
    """Write the state of a training. OutputFileError if that is not possible."""
    arrays = {f"state {i} {node.label}": node.value for i, node in enumerate(training.state)}
    counts = {_EPOCHS: np.asarray(training.epochs_done), _STEPS: np.asarray(training.step.state().calls, np.uint64)}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **counts, **arrays)
    write_whole(path, buffer.getvalue())


def restore(training: Training, path: Path) -> None:
    """Read the state of a training back, all of it or nothing. DataError if the file is not of this net."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            epochs, steps = int(stored[_EPOCHS]), int(stored[_STEPS])
            values = [stored[f"state {i} {node.label}"] for i, node in enumerate(training.state)]
    except FileNotFoundError as error:
        raise DataError(f"there is no checkpoint {path} to resume from: train without --resume first") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no checkpoint of this net ({error}): train without --resume") from error
    for node, value in zip(training.state, values, strict=True):
        if value.shape != node.type.static_shape or value.dtype != node.dtype:
            raise DataError(f"{path} holds {value.dtype}{list(value.shape)} for {node!r}: it is of another net")
    for node, value in zip(training.state, values, strict=True):
        node.value = value
    training.epochs_done = epochs
    training.step.restore(replace(training.step.state(), calls=steps))
