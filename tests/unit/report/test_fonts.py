"""Fonts: what a figure's own font lacks is drawn in another, and what no font has is named, in LaTeX as well."""

import logging
from string import ascii_letters

import pytest

from tomtransfer.report import fonts
from tomtransfer.report.characters import beyond_latin, named
from tomtransfer.report.fonts import OWN_FONT, font_with, has_glyph, lend_fonts
from tomtransfer.report.style import new_figure, save, styled
from tomtransfer.report.typesetting import Column, Table, as_latex


def elsewhere() -> str:
    """Return a character that another font of this machine has and the figures' own has not."""
    candidates = (chr(code) for code in range(0x2000, 0xFFFF))
    return next(each for each in candidates if not has_glyph(OWN_FONT, each) and font_with(each))


@styled
def drawn(text):
    figure = new_figure(2, 2)
    figure.text(0.5, 0.5, text)
    return figure


def test_a_character_of_another_font_is_drawn_in_that_font(tmp_path, recwarn):
    character = elsewhere()
    figure = drawn(f"C/{character}")
    assert lend_fonts(figure) == []
    [text] = figure.texts
    assert text.get_fontfamily() == [OWN_FONT, font_with(character)]
    save(figure, tmp_path / "figure.pdf")
    assert not [warning for warning in recwarn if "missing from font" in str(warning.message)]


def test_latin_letters_are_drawn_as_ever():
    figure = drawn(f"{ascii_letters} äß–−\n")
    assert lend_fonts(figure) == []
    assert figure.texts[0].get_fontfamily() == [OWN_FONT]


def test_a_character_of_no_font_is_named(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(fonts, "font_with", lambda character: None)
    with caplog.at_level(logging.WARNING):
        save(drawn("合作"), tmp_path / "figure.svg")
    assert "figure.svg: no font of this machine has 合 (CJK UNIFIED IDEOGRAPH-5408), 作" in caplog.text


def test_what_has_no_name_is_told_so():
    assert named(["\ue000"]) == "\ue000 (without a name)"


@pytest.mark.parametrize(("text", "found"), [("größer – −1 × “C”", []), ("合/D", ["合"]), ("жд", ["ж", "д"])])
def test_what_latex_needs_a_font_for(text, found):
    assert beyond_latin([text]) == found


def test_a_table_in_latex_says_what_it_needs():
    columns = (Column("label", "label"),)
    assert as_latex(Table("t", "t", "t", columns, ({"label": "合"},))).startswith(
        "% needs XeLaTeX or LuaLaTeX and a font with 合 (CJK UNIFIED IDEOGRAPH-5408)\n"
    )
    assert as_latex(Table("t", "t", "t", columns, ({"label": "C"},))).startswith("% needs \\usepackage{booktabs}\n")
