"""Templates render what they say, and cannot fill memory, take long, reach Python or be random."""

import time

import pytest
from jinja2.exceptions import SecurityError, TemplateError, UndefinedError

from tomtransfer.scenarios.sandbox import LONGEST_TEXT, SECONDS, Sandbox


def render(text, **variables):
    return Sandbox({"t": text}).render("t", variables)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{{ 'ab' * 3 }}", "ababab"),
        ("{{ points * 2 + 1 }}", "21"),
        ("{% for n in range(3) %}{{ n }}{% endfor %}", "012"),
        ("{{ ['b', 'a'] | sort | join(', ') }}", "a, b"),
        ("{{ 'a' ~ points }}", "a10"),
        ("{{ 'A'.lower() }}", "a"),
    ],
)
def test_what_templates_need_works(text, rendered):
    assert render(text, points=10) == rendered


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 10**9 }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 1000000000 * 'a' }}",
        "{{ [1] * 1000000000 }}",
        "{{ 9 ** 999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ 'a'.ljust(999999999) }}",
        "{{ 'a'.center(999999999) }}",
        "{{ range(999999999) | list }}",
        "{% for n in range(999999999) %}a{% endfor %}",
        "{% set t = namespace(x='a') %}{% for n in range(99) %}{% set t.x = t.x + t.x %}{% endfor %}{{ t.x }}",
        "{% macro m(n) %}aaaaaaaaaa{{ m(n + 1) }}{% endmacro %}{{ m(1) }}",
        "{{ ('a' * 20000).replace('a', 'a' * 20000) }}",
        "{{ ('a' * 20000) | replace('a', 'a' * 20000) }}",
        "{{ 'a' | center(999999999) }}",
        "{{ [1, 2, 3] | random }}",
        "{{ lipsum() }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ unknown }}",
        "{% include '/etc/passwd' %}",
        "{% include 't' %}",
    ],
)
def test_what_would_grow_or_reach_out_is_an_error_at_once(text):
    start = time.monotonic()
    with pytest.raises((SecurityError, UndefinedError, TemplateError, RecursionError, TypeError, AttributeError)):
        render(text)
    assert time.monotonic() - start < SECONDS


def test_a_template_that_says_little_may_not_take_long(monkeypatch):
    monkeypatch.setattr("tomtransfer.scenarios.sandbox.SECONDS", 0.2)
    loops = "".join(f"{{% for n{depth} in range(9999) %}}" for depth in range(5))
    with pytest.raises(SecurityError, match=r"rendering takes more than 0\.2 seconds"):
        render(loops + "{% endfor %}" * 5)


def test_the_length_is_that_of_the_whole_text():
    assert len(render("{{ 'a' * 20000 }}")) == LONGEST_TEXT
    with pytest.raises(SecurityError, match="at most 20000"):
        render("{{ 'a' * 20000 }}{{ 'b' }}")
