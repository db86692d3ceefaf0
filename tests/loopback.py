"""A server here that speaks the OpenAI protocol with made-up probabilities, and misbehaves where it is told to.

What it answers follows from the prompt alone. Faults are functions that are given the number of a request and say what
is wrong with it; the same request may be answered when it comes again.
"""

import asyncio
import hashlib
import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

WORDS = [b"C", b"D", b" C", b"**", b"I", b"The", b"\n", b".", b"red", b" yellow", b"yes", b"no"]
AFTER_LABEL = [b"\n", b".", b" because", b"<|im_end|>", b"%", b"at"]


@dataclass
class Loopback:
    """How the server behaves, and what it has seen."""

    before_temperature: bool = True
    logprobs: int = 20
    """How many it gives at most; more are refused. None are given at 0."""
    continues: str = "last message"
    keeps_line: bool = True
    owner: str = "loopback"
    fault: Callable[[int, Mapping[str, Any]], Any] = lambda number, body: None
    """Of a request to complete a chat: None for an answer, a status, bytes to send as they are, or seconds to wait."""
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    pieces: tuple[bytes, ...] = ()
    """Tokens in place of its own."""
    bodies: list[Mapping[str, Any]] = field(default_factory=list)
    answered: list[Mapping[str, Any]] = field(default_factory=list)
    """Those of the requests that were answered."""
    keep: bool = True
    """Whether it keeps requests."""
    url: str = ""
    requests: int = 0
    at_once: int = 0
    most_at_once: int = 0

    def distribution(self, messages: list[Mapping[str, Any]], begun: str) -> dict[bytes, float]:
        """Return the log-probabilities of next tokens, at a temperature of 1."""
        if begun == "red blue green":
            return {b" yellow": -0.01, b"red": -5.0, b" a": -6.0}
        words = AFTER_LABEL if begun.strip(" *\n") in {"C", "D"} else [*WORDS, *self.pieces]
        seed = hashlib.sha256(json.dumps([m["content"] for m in messages] + [begun]).encode()).digest()
        values = {word: 4 * seed[place % 32] / 255 + (3.0 if place < 2 else 0.0) for place, word in enumerate(words)}
        if self.pieces:
            values = {word: value for word, value in values.items() if word not in {b"C", b"D", b" C"}}
        total = math.log(sum(map(math.exp, values.values())))
        return {word: value - total for word, value in values.items()}

    def answer(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the completion of a chat."""
        messages, begun = list(body["messages"]), ""
        asked = {"last message": True, "continue_final_message": bool(body.get("continue_final_message")), "": False}
        if messages[-1]["role"] == "assistant" and asked[self.continues]:
            begun = messages.pop()["content"]
            begun = begun if self.keeps_line else begun.rstrip()
        values = self.distribution(messages, begun)
        if not self.before_temperature:
            scaled = {word: value / body["temperature"] for word, value in values.items()}
            total = math.log(sum(map(math.exp, scaled.values())))
            values = {word: value - total for word, value in scaled.items()}
        ranked = sorted(values.items(), key=lambda item: -item[1])
        top = [{"token": w.decode(), "bytes": list(w), "logprob": v} for w, v in ranked[: body.get("top_logprobs", 0)]]
        label = ["C", "D"][body.get("seed", 0) % 2]
        longest = body.get("max_tokens", 0)
        text = "because we agreed." if begun else f"{label}\nbecause we agreed." if longest > 1 else top[0]["token"]
        if begun and not self.keeps_line:
            text = f"\n{text}"
        return {
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                    "logprobs": {"content": [{**top[0], "top_logprobs": top}]} if top and self.logprobs else None,
                }
            ],
            "usage": {"prompt_tokens": 50 + len(begun), "completion_tokens": min(longest, 5), "total_tokens": 55},
        }


@contextmanager
def loopback(behaviour: Loopback) -> Iterator[Loopback]:
    """Serve in a thread while the block lasts; `behaviour.url` is where."""
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def begin() -> asyncio.AbstractServer:
        return await asyncio.start_server(lambda reader, writer: _connection(behaviour, reader, writer), "127.0.0.1", 0)

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(begin())
        behaviour.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ready.set()
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield behaviour
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _connection(behaviour: Loopback, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            content = await reader.readexactly(int(fields.get("content-length", 0)))
            if not await _respond(behaviour, lines[0].split()[1], fields, content, writer):
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _respond(
    behaviour: Loopback, path: str, fields: Mapping[str, str], content: bytes, writer: asyncio.StreamWriter
) -> bool:
    """Answer a request, and tell whether the connection stays open."""
    behaviour.requests += path.endswith("/chat/completions")
    if refusal := _refusal(behaviour, path, fields, json.loads(content or b"{}")):
        return await _send(writer, refusal[0], {"error": {"message": refusal[1]}})
    if path == "/v1/models":
        return await _send(writer, 200, {"data": [{"id": "served", "owned_by": behaviour.owner}]})
    body = json.loads(content)
    if behaviour.keep:
        behaviour.bodies.append(body)
    behaviour.at_once += 1
    behaviour.most_at_once = max(behaviour.most_at_once, behaviour.at_once)
    fault = behaviour.fault(behaviour.requests, body)
    if isinstance(fault, float):
        await asyncio.sleep(fault)
    behaviour.at_once -= 1
    if isinstance(fault, bytes):
        writer.write(fault)
        await writer.drain()
        return False
    if isinstance(fault, int):
        return await _send(writer, fault, {"error": {"message": f"fault {fault}"}}, behaviour.headers)
    if behaviour.keep:
        behaviour.answered.append(body)
    return await _send(writer, 200, behaviour.answer(body))


def _refusal(
    behaviour: Loopback, path: str, fields: Mapping[str, str], body: Mapping[str, Any]
) -> tuple[int, str] | None:
    """Return the status and the message of a request that is refused whenever it comes."""
    if behaviour.key and fields.get("authorization") != f"Bearer {behaviour.key}":
        return 401, f"Incorrect API key provided: {fields.get('authorization')}"
    if path not in {"/v1/models", "/v1/chat/completions"}:
        return 404, f"no {path}"
    if body and body["model"] != "served":
        return 404, f"The model `{body['model']}` does not exist."
    if body.get("top_logprobs", 0) > max(behaviour.logprobs, 20):
        return 400, f"at most {behaviour.logprobs} top_logprobs"
    return None


async def _send(
    writer: asyncio.StreamWriter, status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> bool:
    body = json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} said", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()
    return True
