"""The languages whose phrases of choosing are known, by the names that wordings have for them."""

from tomtransfer.scenarios.english import ENGLISH
from tomtransfer.scenarios.german import GERMAN
from tomtransfer.scenarios.phrases import WITHOUT_PHRASES, Phrases

LANGUAGES = {"english": ENGLISH, "german": GERMAN}


def phrases_in(language: str | None) -> Phrases:
    """Return the phrases of a language; none where it has no name, so that labels and digits are read alone."""
    return LANGUAGES[language] if language else WITHOUT_PHRASES
