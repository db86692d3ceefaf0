"""How people say in English what they choose and give."""

from tomtransfer.scenarios.phrases import Phrases, each

_I_WILL = (
    *("I", "I will", "I'll", "I would", "I'd", "I shall", "I am going to", "I'm going to", "I want to"),
    *("I would like to", "I'd like to", "I would rather", "I'd rather", "I decide to", "I decided to"),
    *("I have decided to", "I've decided to", "I choose to", "I have chosen to", "I will choose to"),
    *("I would choose to", "I intend to", "I plan to", "let's", "let us"),
)
_I_AM = ("I am", "I'm", "I will be", "I'll be", "I would be", "I'd be")
_I_HAVE = ("I", "I have", "I've")
_OF_MINE = (
    *("my answer", "my choice", "my decision", "my pick", "my selection", "my vote", "my option", "my move"),
    *("my strategy", "my response", "my chosen option", "my selected option", "my final answer", "my final choice"),
    *("my final decision", "the answer", "the correct answer", "the right answer", "the final answer"),
    *("the answer to your question", "the answer to the question", "the answer to this question"),
)
_CHOSEN_BY_ME = each(
    ("the option I", "the option that I", "the choice I", "the one I", "what I"),
    ("choose", "chose", "pick", "select", "make", "would choose", "will choose", "would pick", "have chosen"),
)
_IS = ("is", "would be", "will be", "is to choose", "is to go with", "is to pick", "is to")
_GIVE = (
    *("give", "give away", "give up", "donate", "contribute", "put", "put in", "pay", "offer", "add", "share"),
    *("pledge", "chip in"),
)
_TO = ("I cannot", "I can't", "I can not", "I won't", "I will not", "I am unable to", "I'm unable to")

ENGLISH = Phrases(
    group=",",
    numbers=(
        *((word, value) for value, word in enumerate(("zero", "one", "two", "three", "four", "five", "six"))),
        *((word, value) for value, word in enumerate(("seven", "eight", "nine", "ten", "eleven", "twelve"), 7)),
        *((word, value) for value, word in enumerate(("thirteen", "fourteen", "fifteen", "sixteen"), 13)),
        *((word, value) for value, word in enumerate(("seventeen", "eighteen", "nineteen", "twenty"), 17)),
        *(("thirty", 30), ("forty", 40), ("fifty", 50), ("sixty", 60), ("seventy", 70), ("eighty", 80)),
        ("ninety", 90),
    ),
    reasons=(
        *("because", "since", "as it", "as this", "as that", "as I", "as we", "as both", "so that", "in order to"),
        *("hoping", "trusting", "believing", "knowing", "expecting", "due to", "given that", "considering"),
        "for the sake of",
    ),
    purposes=(
        *each(
            ("to",),
            (
                *("maximize", "maximise", "ensure", "earn", "get", "avoid", "gain", "achieve", "increase", "secure"),
                *("minimize", "minimise", "help", "make", "show", "protect", "build", "benefit", "win", "support"),
                *("reach", "obtain", "foster", "encourage", "promote", "optimize", "optimise", "keep", "stay"),
            ),
        ),
        *("so", "based on", "given", "in the hope", "with the hope", "and hope", "and I hope", "and trust"),
        *("for mutual", "for our", "for the good of", "for the benefit of", "for the common good"),
    ),
    contrasts=("not", "and not", "rather than", "instead of", "over"),
    hedges=("or", "and", "if", "unless", "but", "only"),
    asides=(
        *("maybe", "perhaps", "probably", "possibly", "my coplayer", "my coplayer's", "your coplayer", "the coplayer"),
        *("coplayer", "the coplayer's", "my opponent", "my opponent's", "the other", "the other's", "they", "their"),
        *("theirs", "what", "not mine", "for my coplayer", "for the other"),
    ),
    shares=("of", "of my", "of the", "of your", "out of", "out of my", "out of the", "out of your", "from my"),
    leads=(
        *("so", "therefore", "thus", "hence", "then", "ok", "okay", "sure", "certainly", "of course", "yes", "well"),
        *(
            "finally",
            "ultimately",
            "overall",
            "in conclusion",
            "in summary",
            "to conclude",
            "accordingly",
            "personally",
        ),
        *("in this case", "in this situation", "in this scenario", "in this game", "for this reason", "and", "but"),
        *("for these reasons", "that is why", "that's why", "this is why", "as a result", "given this", "still"),
        *("based on this", "considering this", "after careful consideration", "however", "and so", "all right"),
        *(
            "no,",
            "wait,",
            "no, wait,",
            "wait, no,",
            "actually,",
            "I think",
            "I think that",
            "sorry, but",
            "I'm sorry, but",
            "I am sorry, but",
            "here is my answer",
        ),
    ),
    clauses=(
        *("since", "because", "given", "considering", "based on", "to", "in order to", "after", "as a", "as an"),
        *("as the", "as my", "as both", "as we", "as it", "although", "even though", "despite", "while", "knowing"),
    ),
    fillers=("therefore", "thus", "definitely", "simply", "just", "personally", "still", "also", "always", "then"),
    choosing=(
        *each(
            _I_WILL,
            (
                *("choose", "pick", "select", "opt for", "go with", "go for", "vote for", "decide on"),
                *("settle on", "prefer", "answer", "say", "stick with", "play"),
            ),
        ),
        *each(_I_AM, ("choosing", "picking", "selecting", "opting for", "going with", "going for")),
        *each(_I_HAVE, ("chosen", "chose", "picked", "selected", "opted for", "decided on", "decided for")),
        *("I went with", "I go for", "I would prefer to choose", "let me choose", "let me go with"),
    ),
    acting=(*_I_WILL, *each(_I_WILL, ("take",)), *each(_I_AM, ("taking",))),
    answering=(
        *(*_OF_MINE, *_CHOSEN_BY_ME, *each((*_OF_MINE, *_CHOSEN_BY_ME), _IS)),
        *(
            "answer",
            "correct answer",
            "final answer",
            "choice",
            "final choice",
            "decision",
            "final decision",
            "selection",
            "A:",
        ),
        *("selected option", "chosen option", "option chosen", "option selected", "response", "vote:", "pick:"),
    ),
    chosen=(
        *each(("is", "is definitely"), (*_OF_MINE, *_CHOSEN_BY_ME)),
        "it is",
    ),
    telling=("choose", "choose to", "pick", "select", "go with", "or", "or maybe"),
    nouns=each(
        ("", "the", "the option", "option"),
        ("option", "choice", "strategy", "letter", "action", "alternative", "policy", "label", "called", "named"),
    ),
    places=(
        *each(("in this",), ("case", "situation", "scenario", "game", "round", "context", "instance")),
        *each(("as my",), ("answer", "choice", "option", "strategy", "decision", "final answer", "response")),
        *each(("with",), ("my coplayer", "them", "the other player", "my opponent", "my partner", "you")),
        *("here", "this time", "again", "now", "too", "as well"),
    ),
    giving=(
        *each(_I_WILL, _GIVE),
        *each(_I_AM, ("giving", "donating", "contributing", "putting in", "offering")),
        *each(
            (
                *(
                    "my donation",
                    "my contribution",
                    "my gift",
                    "my offer",
                    "the amount I give",
                    "the amount I will give",
                ),
                *("the amount I would give", "the amount I choose", "the amount I choose to give"),
            ),
            ("", "is", "would be", "will be"),
        ),
        *("donation", "contribution", "gift", "amount", "amount given", "give:"),
    ),
    exactly=("exactly", "only", "just", "precisely", "a total of"),
    nothing=("nothing", "nothing at all"),
    everything=("everything", "it all", "all of it", "all of them", "everything I have", "all I have"),
    all_of=("all", "all of my", "all my", "all of the", "all the"),
    recipients=each(
        ("to", "into", "toward", "towards"),
        ("the", "the common", "the shared", "the public", "the community", "the group", "our", "this", "that"),
    ),
    remainders=(
        *("and keep", "and I keep", "and will keep", "and I will keep", "while keeping", "to help", "to support"),
        *("in the fund", "in the box", "in the pot", "in the pool", "so", "which is", "which leaves"),
        *("leaving", "leaving me"),
    ),
    refusals=(
        *each(
            (
                *(*_TO, "I am not able to", "I'm not able to", "I refuse to", "I decline to", "I must decline to"),
                *("I would rather not", "I'd rather not", "I prefer not to", "I do not want to", "I don't want to"),
            ),
            (
                *("choose", "decide", "answer", "pick", "select", "make", "give you", "give an answer", "provide"),
                *("help", "assist", "participate", "play", "respond", "engage", "recommend", "take part"),
            ),
        ),
        *("I refuse", "I decline", "I must decline", "I abstain", "as an AI", "as a language model", "I'm sorry"),
        *("I am sorry", "sorry", "I have no preference", "I'm just an AI", "I am just an AI"),
    ),
    words=("a", "i"),
)
