"""Where templates run: they reach their variables and each other, and nothing that takes long, grows or is random.

Prompts are made of what strangers may have written. Jinja's sandbox keeps templates from Python; here they are also
kept from filling memory (repetition, widths, texts that grow from call to call) and from saying something else at each
call.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from jinja2 import DictLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST_TEXT = 20_000
"""Characters of what a template renders, and of any text that it makes on the way, at most."""

LARGEST_NUMBER = 10**12
"""What a template may count to."""

SECONDS = 10
"""Time that rendering a template may take."""

FILTERS = (
    *("abs", "batch", "capitalize", "default", "first", "float", "int", "items", "join", "last", "length", "list"),
    *("lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "select", "selectattr"),
    *("sort", "string", "sum", "title", "trim", "unique", "upper"),
)
"""The filters that templates may use."""

GLOBALS = ("dict", "range")
"""The functions that templates may use."""

FORMATTING = ("format", "format_map")
"""Methods of a text that can make it as wide as it says."""


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of templates, with filters of their own besides FILTERS; an undefined name is an error."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self, texts: Mapping[str, str], filters: Mapping[str, Callable[[str], str]] | None = None) -> None:
        super().__init__(loader=DictLoader(dict(texts)), undefined=StrictUndefined)
        known = {name: self.filters[name] for name in FILTERS}
        self.filters = {name: _bounded(function) for name, function in {**known, **(filters or {})}.items()}
        self.globals = {name: self.globals[name] for name in GLOBALS}

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an operator, if it does not grow beyond reason."""
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise SecurityError(f"{operator} is not allowed in a template")
        if operator == "*":
            for repeated, times in ((left, right), (right, left)):
                if hasattr(repeated, "__len__") and isinstance(times, int):
                    _refuse_long(len(repeated) * times)
        result = super().call_binop(context, operator, left, right)
        if hasattr(result, "__len__"):
            _refuse_long(len(result))
        elif isinstance(result, int) and abs(result) > LARGEST_NUMBER:
            raise SecurityError(f"a number beyond {LARGEST_NUMBER}")
        return result

    def call(self, context: Any, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return what a function gives; no width or count that it is given may be beyond reason."""
        if getattr(function, "__name__", "") in FORMATTING:
            raise SecurityError(f"{function.__name__} is not allowed in a template")
        for value in (*arguments, *named.values()):
            _refuse_long(abs(value) if isinstance(value, int) else len(value) if hasattr(value, "__len__") else 0)
        return super().call(context, function, *arguments, **named)

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        """Return the text of a template; raises SecurityError when it is too long or takes too long."""
        parts, length = [], 0
        with _time_limit():
            for part in self.get_template(name).generate(variables):
                length += len(part)
                _refuse_long(length)
                parts.append(part)
        return "".join(parts)


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that refuses to make a text or list that is too long."""

    @wraps(function)
    def bounded(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        if hasattr(result, "__len__"):
            _refuse_long(len(result))
        return result

    return bounded


def _refuse_long(length: int) -> None:
    if length > LONGEST_TEXT:
        raise SecurityError(f"a text, list or count of {length}; at most {LONGEST_TEXT} is allowed in a template")


@contextmanager
def _time_limit() -> Iterator[None]:
    """Raise SecurityError in the main thread when what is inside takes longer than SECONDS."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no signal reaches another thread
        return

    def stop(number: int, frame: Any) -> None:
        raise SecurityError(f"rendering takes more than {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    started, left = time.monotonic(), signal.setitimer(signal.ITIMER_REAL, SECONDS)[0]
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 0.01) if left else 0)
        signal.signal(signal.SIGALRM, before)
