"""How people say in German what they choose and give.

Verbs stand at the end (`Ich würde C wählen`), and an adverb that comes first turns the words around (`Daher wähle ich
C`). Without one they are a condition or a question (`Wähle ich C, ...`), which chooses nothing.
"""

from tomtransfer.scenarios.phrases import Phrases, each

_ADVERBS = (
    *("daher", "deshalb", "deswegen", "also", "somit", "definitiv", "einfach", "lieber", "eher", "persönlich"),
    *("hier", "jetzt", "nun", "dann", "trotzdem", "dennoch", "immer", "natürlich", "auch", "ebenfalls", "wieder"),
    *("in diesem Fall", "in dieser Situation", "in diesem Spiel", "auf jeden Fall", "auf alle Fälle"),
)
_CHOOSE = ("wähle", "wählte", "nehme", "nähme", "bevorzuge", "spiele", "antworte", "antworte mit", "präferiere")
_CHOOSE_FOR = ("stimme für", "stimmte für", "bin für", "plädiere für", "bleibe bei", "setze auf")
_CHOSEN = ("gewählt", "genommen", "ausgewählt", "bevorzugt", "gespielt", "entschieden", "gestimmt")
_TO_CHOOSE = ("wählen", "nehmen", "auswählen", "bevorzugen", "spielen", "entscheiden", "stimmen", "antworten")
_DECIDED = (
    *("entscheide mich dafür,", "entscheide mich,", "habe mich dafür entschieden,", "habe mich entschieden,"),
    *("beschließe,", "habe beschlossen,", "plane,", "habe vor,", "beabsichtige,", "ziehe es vor,"),
)
_WILL = ("werde", "würde", "will", "möchte")
_MINE = (
    *("Antwort", "Wahl", "Entscheidung", "Auswahl", "Stimme", "Option", "Strategie", "endgültige Antwort"),
    *("endgültige Wahl", "endgültige Entscheidung", "finale Antwort", "gewählte Option", "gewählte Möglichkeit"),
)
_OF_MINE = (*each(("meine",), _MINE), "die Antwort", "die richtige Antwort", "die Antwort auf die Frage", "mein Zug")
_IS = ("ist", "lautet", "wäre", "fällt auf", "fiele auf", "geht an", "ist die", "ist die Option")
_GIVE = ("gebe", "gäbe", "spende", "zahle", "stifte", "opfere", "verschenke")
_GIVE_UP = ("trage", "steuere", "lege", "stecke", "zahle", "gebe", "werfe")
_GIFT = ("mein Beitrag", "meine Spende", "meine Gabe", "mein Anteil", "der Betrag, den ich gebe,")
_SEPARATED = ("bei", "ab", "ein", "her", "hinein", "dazu", "weg")

GERMAN = Phrases(
    decimal=",",
    group=".",
    numbers=(
        *((word, value) for value, word in enumerate(("null", "eins", "zwei", "drei", "vier", "fünf", "sechs"))),
        *((word, value) for value, word in enumerate(("sieben", "acht", "neun", "zehn", "elf", "zwölf"), 7)),
        *((word, value) for value, word in enumerate(("dreizehn", "vierzehn", "fünfzehn", "sechzehn"), 13)),
        *((word, value) for value, word in enumerate(("siebzehn", "achtzehn", "neunzehn", "zwanzig"), 17)),
        *(("einen", 1), ("dreißig", 30), ("vierzig", 40), ("fünfzig", 50), ("sechzig", 60), ("siebzig", 70)),
        *(("achtzig", 80), ("neunzig", 90)),
    ),
    reasons=(
        *("weil", "denn", "da", "damit", "in der Hoffnung", "im Vertrauen", "aufgrund", "auf Grund", "wegen"),
        *("angesichts", "zugunsten", "da ich", "da es", "da wir"),
    ),
    purposes=("um", "so dass", "sodass", "und hoffe", "und vertraue", "zum Wohl", "zum Wohle", "auf der Grundlage"),
    contrasts=("und nicht", "nicht", "statt", "anstatt", "anstelle von", "an Stelle von", "eher als", "lieber als"),
    hedges=("oder", "und", "wenn", "falls", "sofern", "außer", "aber", "nur"),
    asides=(
        *("vielleicht", "möglicherweise", "wahrscheinlich", "vermutlich", "eventuell", "mein Mitspieler"),
        *("meines Mitspielers", "meine Mitspielerin", "meiner Mitspielerin", "dein Mitspieler", "der Mitspieler"),
        *("die Mitspielerin", "Mitspieler", "Mitspielerin", "mein Gegner", "mein Gegenspieler", "der andere"),
        *("die andere", "des anderen", "der anderen", "er", "sie", "ihre", "seine", "was", "nicht ich"),
        *("für meinen Mitspieler", "für meine Mitspielerin", "für den anderen", "für die andere"),
    ),
    shares=("von", "von den", "von meinen", "von deinen", "von insgesamt", "der", "meiner", "der insgesamt", "aus"),
    leads=(
        *("also", "daher", "deshalb", "deswegen", "darum", "somit", "folglich", "dann", "ok", "okay", "ja", "gut"),
        *("natürlich", "sicher", "selbstverständlich", "nun", "schließlich", "letztendlich", "letztlich", "insgesamt"),
        *("zusammenfassend", "abschließend", "persönlich", "in diesem Fall", "in dieser Situation", "hier"),
        *("in diesem Spiel", "in diesem Szenario", "unter diesen Umständen", "aus diesem Grund", "aus diesen Gründen"),
        *("nach reiflicher Überlegung", "nach sorgfältiger Überlegung", "nach langem Überlegen", "und", "aber"),
        *("trotzdem", "dennoch", "allerdings", "tatsächlich", "eigentlich", "nein,", "moment,", "nein, moment,"),
        *("ich denke", "ich finde", "und so", "und deshalb", "und daher", "alles in allem", "auf jeden Fall"),
        *("tut mir leid, aber", "es tut mir leid, aber", "entschuldigung, aber", "hier ist meine Antwort"),
    ),
    clauses=(
        *("da", "weil", "obwohl", "angesichts", "um", "nach", "trotz", "während", "aufgrund", "wegen", "damit", "dass"),
        *("in Anbetracht", "basierend auf", "auf der Grundlage", "auf Grundlage", "im Hinblick auf", "nachdem"),
    ),
    fillers=_ADVERBS,
    adverbs=_ADVERBS,
    choosing=(
        *each(("ich",), (*_CHOOSE, *_CHOOSE_FOR)),
        *each(("ich",), ("entscheide mich", "entschied mich", "entschiede mich"), ("für",)),
        *("wir wählen", "lass uns wählen", "lasst uns wählen"),
    ),
    after_leads=(
        *each((*_CHOOSE,), ("ich",)),
        *each(("stimme", "bin", "plädiere"), ("ich",), ("für",)),
        *each(("entscheide", "entschied", "entschiede"), ("ich mich",), ("für",)),
        *("bleibe ich bei", "setze ich auf"),
    ),
    acting=each(("ich",), _WILL),
    opening=(
        *each(("ich",), (*_WILL, "habe", "hätte"), ("", "mich"), ("", "für", "mit")),
        *each(("ich",), _DECIDED),
        *each(("ich",), _GIVE_UP),
        "ich ziehe",
    ),
    opening_after_leads=(
        *each(_GIVE_UP, ("ich",)),
        *each((*_WILL, "habe", "hätte"), ("ich",), ("", "mich"), ("", "für", "mit")),
        *("entscheide ich mich dafür,", "beschließe ich,", "habe ich beschlossen,"),
    ),
    closing=(*_CHOSEN, *_TO_CHOOSE, *each(("zu",), _TO_CHOOSE), "auszuwählen", "vor", "vorziehen"),
    closing_gifts=(
        *each(
            ("", "zu", "in den Fonds", "in die Kasse", "in den Topf", "in den gemeinsamen Topf", "für alle"),
            ("geben", "spenden", "zahlen", "beitragen", "beisteuern", "abgeben", "einzahlen", "hergeben", "stiften"),
        ),
        *("beizutragen", "beizusteuern", "abzugeben", "einzuzahlen", "herzugeben"),
        *("gegeben", "gespendet", "gezahlt", "beigetragen", "beigesteuert", "abgegeben", "eingezahlt"),
        *_SEPARATED,
    ),
    answering=(
        *_OF_MINE,
        *each(_OF_MINE, _IS),
        *("Antwort", "richtige Antwort", "endgültige Antwort", "Wahl", "Entscheidung", "Auswahl", "gewählte Option"),
        *("was ich wähle, ist", "die Option, die ich wähle, ist", "die Möglichkeit, die ich wähle, ist"),
    ),
    chosen=(
        *each(("ist", "ist ganz klar", "wäre"), _OF_MINE),
        *each(_CHOOSE, ("ich",)),
        *each(_WILL, ("ich",), _TO_CHOOSE),
        *("habe ich gewählt", "ist, was ich wähle", "ist die Option, die ich wähle", "gebe ich", "spende ich"),
        *("würde ich geben", "werde ich geben", "möchte ich geben"),
    ),
    telling=("wähle", "wählen Sie", "nimm", "nehmen Sie", "entscheide dich für", "oder", "oder vielleicht"),
    nouns=each(
        ("", "die", "den", "das", "die Option", "Option", "die Möglichkeit", "Möglichkeit"),
        ("Option", "Möglichkeit", "Strategie", "Buchstabe", "Buchstaben", "Aktion", "Alternative", "Label", "namens"),
    ),
    places=(
        *each(("in diesem",), ("Fall", "Spiel", "Szenario", "Kontext", "Augenblick")),
        *each(("als meine", "als"), ("Antwort", "Wahl", "Option", "Strategie", "Entscheidung")),
        *("in dieser Situation", "in dieser Runde", "hier", "diesmal", "dieses Mal", "wieder", "jetzt", "auch"),
        *("ebenfalls", "aus"),
    ),
    giving=(
        *each(("ich",), _GIVE),
        *each(_GIFT, ("", "ist", "wäre", "beträgt", "sind", "liegt bei")),
        *("Beitrag", "Spende", "Betrag"),
    ),
    giving_after_leads=each(_GIVE, ("ich",)),
    exactly=("genau", "nur", "lediglich", "insgesamt", "exakt"),
    nothing=("nichts", "gar nichts", "überhaupt nichts"),
    everything=("alles", "alles davon", "alles, was ich habe", "mein ganzes Geld"),
    all_of=("alle", "alle meine", "alle die", "die ganzen", "die gesamten", "meine ganzen", "sämtliche"),
    recipients=(
        *each(
            ("in", "für", "an"),
            ("den", "die", "das", "unseren", "unsere", "den gemeinsamen", "die gemeinsame", "diesen", "diese"),
        ),
        *("zum", "zur", "zum gemeinsamen", "dem", "der", "dem gemeinsamen"),
    ),
    remainders=(
        *("und behalte", "und ich behalte", "um", "in den Fonds", "in die Kasse", "in den Topf", "so dass", "sodass"),
        "was",
    ),
    refusals=(
        *each(
            ("ich kann", "ich möchte", "ich will", "ich werde", "ich darf"),
            (
                *("nicht wählen", "nicht entscheiden", "mich nicht entscheiden", "nicht antworten", "nicht teilnehmen"),
                *("keine Entscheidung", "keine Wahl", "keine Antwort", "dir nicht", "dabei nicht", "hier nicht"),
                *("diese Frage nicht", "diese Entscheidung nicht", "dazu nichts", "nichts wählen"),
            ),
        ),
        *("ich weigere mich", "ich lehne es ab", "ich lehne ab", "ich enthalte mich", "als KI", "als eine KI"),
        *("als Sprachmodell", "als ein Sprachmodell", "als künstliche Intelligenz", "ich bin nur eine KI"),
        *("ich bin eine KI", "es tut mir leid", "tut mir leid", "entschuldigung", "ich habe keine Präferenz"),
        *("ich bin nicht in der Lage", "ich treffe keine Wahl", "ich treffe keine Entscheidung"),
    ),
)
