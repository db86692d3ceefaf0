"""How an answer may be written: what may stand around a label or an amount without changing what it says."""

WRAPPING = " \t\n\r\"'`*_()[]{}<>.,:;!?\u2018\u2019\u201c\u201d\u2581\u0120"
"""What may stand around a label: ` C`, `"C`, `(C`, `C.` all spell C."""

CURRENCY = "$\u20ac\u00a3"
"""What may stand in front of an amount."""
