"""Requests to a server, against the client's own bare loop: how many a second, in how much memory, and none lost.

    PYTHONPATH=workflow:tests python benchmarks/endpoint.py

A server on this machine answers at once with made-up texts (tests/loopback.py, in a process of its own). The product
asks it for drawn answers, as rows that are kept in a store as they arrive; the bare loop is `AsyncOpenAI` with as many
workers, which drops what it gets. Both take turns. Then a tenth of the requests fail, each in one of five ways.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

from loopback import Loopback, loopback
from tomtransfer.experiment.store import Store
from tomtransfer.models.registry import Endpoint
from tomtransfer.respondents.asking import Asking
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.respondents.served import ServedRespondent
from tomtransfer.scenarios.questions import Prompt

RESULTS = Path(__file__).parent / "results"
PROMPTS = 100
IDENTITY = {
    "model": "served",
    "model_revision": "1",
    "quantization": "as_stored",
    "adapter": "",
    "temperature": 0.8,
    "stage_revision": 1,
}
SHORT, BROKEN = (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n{" % length for length in (99, 1))
FAULTS = (429, 500, b"", SHORT, BROKEN)
SHARE_OF_FAULTS = 0.1


def serve(faults: bool, told: Any) -> None:
    """Serve until the process is ended, and tell the address."""
    drawn = random.Random(1)  # noqa: S311

    def fault(number: int, body: Any) -> Any:
        return drawn.choice(FAULTS) if faults and drawn.random() < SHARE_OF_FAULTS else None

    with loopback(Loopback(keep=False, fault=fault)) as behaviour:
        told.send(behaviour.url)
        time.sleep(3600)


@contextmanager
def server(faults: bool = False) -> Iterator[str]:
    """Serve in a process of its own; yield the address."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(faults, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()


def prompts() -> list[Prompt]:
    """Return prompts that differ."""
    place = ("in_sample", "stag_hunt", "team", "canonical", "answer_first")
    user = "Which option do you choose? " * 40
    return [Prompt(*place, "C", "D", {}, "You choose.", f"{n} {user}", f"{n:064x}") for n in range(PROMPTS)]


def bare(url: str, requests: int, concurrency: int) -> float:
    """Return the seconds that the client takes by itself."""
    asked = prompts()

    async def work() -> None:
        numbers = iter(range(requests))
        async with AsyncOpenAI(base_url=url, api_key="none") as client:

            async def worker() -> None:
                for number in numbers:
                    prompt = asked[number % PROMPTS]
                    messages: Any = [
                        {"role": "system", "content": prompt.system},
                        {"role": "user", "content": prompt.user},
                    ]
                    await client.chat.completions.create(
                        model="served",
                        messages=messages,
                        temperature=0.8,
                        max_tokens=12,
                        seed=number,
                        top_p=1.0,
                        frequency_penalty=0.0,
                        presence_penalty=0.0,
                    )

            await asyncio.gather(*(worker() for _ in range(concurrency)))

    start = time.perf_counter()
    asyncio.run(work())
    return time.perf_counter() - start


def ask(url: str, requests: int, concurrency: int) -> tuple[float, int, list[float]]:
    """Return the seconds that the product takes, how many rows it kept, and the memory on its way, in MB."""
    source = Endpoint(source="endpoint", base_url=url, model="served", revision="1", concurrency=concurrency)
    asking = Asking("answer_first", False, requests // PROMPTS, (), 12, True, 1)
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        respondent = ServedRespondent(source, IDENTITY, {}, Path(folder) / "store" / "examined")
        store, path = Store(Path(folder) / "store"), Path(folder) / "answers.parquet"
        elicitation = Elicitation(respondent, asking, store)
        print(respondent.abilities.said)  # found out before the clock runs
        spend = respondent.ledger.spend

        def measured(*arguments: Any) -> None:
            spend(*arguments)
            if respondent.ledger.own.requests % max(1, requests // 10) == 0:
                memory.append(resident())

        respondent.ledger.spend = measured  # type: ignore[method-assign]
        start = time.perf_counter()
        table = elicitation.answers(path, prompts())
        taken = time.perf_counter() - start
        kept = len(set(table.drop_nulls("answer")["key"]))
    return taken, kept, memory


def resident() -> float:
    """Return the memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(arguments: Sequence[str] | None = None) -> None:
    """Time both, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    load, alone, ours, memory = os.getloadavg()[0], [], [], [0.0]
    with server() as url:
        for number in range(given.rounds):
            alone.append(bare(url, given.requests, given.concurrency))
            taken, kept, memory = ask(url, given.requests, given.concurrency)
            ours.append(taken)
            if kept != given.requests:
                raise RuntimeError(f"{given.requests - kept} rows lost")
            print(f"round {number + 1}: bare {alone[-1]:.1f} s, asked {taken:.1f} s, memory {memory}", flush=True)
    with server(faults=True) as url:
        faulty, kept, _ = ask(url, given.requests, given.concurrency)
    rates = [given.requests / statistics.median(each) for each in (alone, ours)]
    lines = [
        f"# {given.requests:,} requests, {given.concurrency} at once",
        "",
        f"Median of {given.rounds} rounds in turn, on {os.cpu_count()} cores with a load of {load:.1f} before.",
        "",
        "| who asks | requests a second | beside the bare loop |",
        "|---|---|---|",
        f"| the client's bare loop | {rates[0]:.0f} | 1.00 |",
        f"| rows that are kept as they arrive | {rates[1]:.0f} | {rates[1] / rates[0]:.2f} |",
        "",
        f"Memory, in MB, at every tenth of the requests: {', '.join(f'{each:.0f}' for each in memory)}.",
        f"With {SHARE_OF_FAULTS:.0%} of the requests failing: {given.requests - kept} rows lost, in {faulty:.1f} s.",
    ]
    given.results.mkdir(exist_ok=True)
    (given.results / "endpoint.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
