"""A worker seen from outside: a process for each peer and setting, so that neither memory nor threads mix."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import IO, Any, Self, cast

_ROOT = Path(__file__).parents[2]

# What steers libraries from the environment: kernels, threads, caches. Workers inherit none of it.
_STEERING = re.compile(
    "(ATEN|BLIS|DNNL|GOMP|JAX|KERAS|KMP|MKL|NPY|NUMBA|NVPL_BLAS|OMP|ONEDNN|OPENBLAS|PYTENSOR|PYTORCH|"
    "TF_ENABLE|TF_NUM|TF_XLA|TORCH|TORCHINDUCTOR|VECLIB|XLA)_"
)
_ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"),
    **dict.fromkeys(("NUMBA_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"),
    "NPROC": "1",  # the size of XLA's pool of threads under JAX, which XLA_FLAGS no longer limit
}
_ALWAYS = {
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
_FAREWELL_SECONDS = 5


class PeerError(Exception):
    """A peer failed; the message says how."""


def dropped_variables() -> dict[str, str]:
    """What would steer the libraries, and is kept from the workers."""
    return {name: value for name, value in sorted(os.environ.items()) if _STEERING.match(name)}


def environment(one_thread: bool, caches: Path) -> dict[str, str]:
    """A worker's: libraries as they come, threads as asked for, and empty caches, so that a first call compiles."""
    inherited = {name: value for name, value in os.environ.items() if name not in dropped_variables()}
    cold = {
        "PYTENSOR_FLAGS": f"compiledir={caches / 'pytensor'}",
        "TORCHINDUCTOR_CACHE_DIR": str(caches / "torch"),
        "NUMBA_CACHE_DIR": str(caches / "numba"),
    }
    path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**inherited, **_ALWAYS, **(_ONE_THREAD if one_thread else {}), **cold, "PYTHONPATH": path}


class PeerProcess:
    """Starts a worker; `ask` it; it ends with the block."""

    def __init__(self, peer: str, one_thread: bool, folder: Path, patience: float) -> None:
        folder.mkdir(parents=True)
        self._patience = patience
        self._log = folder / "stderr"
        command = [sys.executable, "-P", "-m", "tools.benchmark.worker", peer]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own module, in our own Python)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(one_thread, folder),
                text=True,
            )
        self._requests, self._answers = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._process.communicate(timeout=_FAREWELL_SECONDS)  # closes its stdin, at which it ends
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def hear(self) -> dict[str, Any]:
        """The next answer; a PeerError if it is an error, or none comes in time."""
        timer = Timer(self._patience, self._process.kill)
        timer.start()
        line = self._answers.readline()
        in_time = timer.is_alive()
        timer.cancel()
        if not line:
            raise PeerError(self._end() if in_time else f"no answer within {self._patience:g} s")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def ask(self, request: str, **facts: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        try:
            self._requests.write(json.dumps({"request": request, **facts}) + "\n")
            self._requests.flush()
        except BrokenPipeError as error:
            raise PeerError(self._end()) from error
        return self.hear()

    def _end(self) -> str:
        """How it ended, and the last that it wrote."""
        status = self._process.wait()  # before its last words are read
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return f"ended with status {status}: {lines[-1] if lines else 'it wrote nothing'}"
