"""What is said of mistakes is what the docs say of them."""

from mistakes import page
from project import ROOT


def test_each_mistake_is_told_as_the_docs_say():
    assert page() == (ROOT / "docs/mistakes.md").read_text()
