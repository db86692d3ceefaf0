"""The report: one page of HTML that holds everything it shows and asks the network for nothing."""

import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tomtransfer.experiment.config import TRAINED_SPLIT
from tomtransfer.measurement.agreement import Agreement
from tomtransfer.measurement.findings import Findings
from tomtransfer.measurement.measures import ADVANTAGE, MEASURES, OF_FRAME_AVERAGES
from tomtransfer.report.definitions import DEFINITIONS
from tomtransfer.report.plane_pages import errors_table, floors_ahead
from tomtransfer.report.servers import largest_change, served_table
from tomtransfer.report.sources import (
    Asked,
    ReportSources,
    asked,
    cut_off,
    examined_models,
    first_prompts,
    frames_table,
    lead_of,
    versions,
    written_for_the_teacher,
)
from tomtransfer.report.style import FAINT, INK, MARKS, MOST_SHOWN, PAPER, percent, words
from tomtransfer.report.tabulation import make_tables
from tomtransfer.report.timings import read_timings, timings_table
from tomtransfer.report.trust import check_tables
from tomtransfer.report.typesetting import MOST_ROWS, Table, listed
from tomtransfer.scenarios.questions import read_prompts

PAGE_TEMPLATES = Path(__file__).with_name("templates")
CAPTIONS = Path(__file__).with_name("captions")

MUCH = 0.05
"""A mean share of invalid answers above this is remarked on."""

SMALL_P_VALUE = 0.05
"""A difference between drawn and expected invalid answers with a smaller p-value is remarked on."""

CONTROL_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {127: 0x2421}
"""Unicode's pictures of the control characters."""

SCREEN_COLORS = {
    INK: "var(--ink)",
    PAPER: "var(--paper)",
    FAINT: "var(--faint)",
    MARKS["tuned"].color.lower(): "var(--tuned)",
}
"""Colours of a figure that follow the page's, light or dark."""


@dataclass(frozen=True)
class PageFigure:
    """A figure on the page."""

    name: str
    title: str
    caption: str
    svg: str


def read_drawings(figures: Iterable[Path]) -> list[PageFigure]:
    """Return the figures in SVG files, with the captions that stand under their names in CAPTIONS."""
    return [
        PageFigure(
            path.stem,
            words(path.stem),
            (CAPTIONS / f"{path.stem.partition('_of_')[0]}.rst").read_text(encoding="utf-8").strip(),
            path.read_text(encoding="utf-8"),
        )
        for path in figures
    ]


@dataclass(frozen=True)
class Page:
    """Everything that a report shows."""

    title: str
    lead: str
    findings: Findings | None
    """None of a page that compares nothing."""
    drawings: Sequence[PageFigure]
    tables: Sequence[Table]
    remarks: Sequence[str]
    """What a reader has to know before trusting a number."""
    games: Sequence[Mapping[str, Any]] = ()
    """What is known of each game: its `title`, and in sentences what `holds` of it."""
    asked: Sequence[Asked] = ()
    prompts: int = 0
    """How many prompts there are, of which `asked` may be the first."""
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Facts by name under a heading each."""
    ahead: str = ""
    """What is said before the verdict: where a policy without a model is nearer to the teacher than the student is."""
    sentences: Sequence[str] = ()
    """What is said first, before what is said of findings."""

    @property
    def verdict(self) -> str:
        """The sentence on all of it, if there is one."""
        return " ".join(filter(None, [self.ahead, self.findings.verdict])) if self.findings else ""

    @property
    def headlines(self) -> list[str]:
        """What is said first: a sentence per split, then one per split in each view."""
        if self.findings is None:
            return list(self.sentences)
        views = [f"{view.name}: {each}" for view in self.findings.views for each in view.headlines.values()]
        return [*self.sentences, *(self.findings.headlines[split] for split in self.findings.splits), *views]

    @property
    def measures(self) -> list[tuple[str, str]]:
        """The measures and their definitions; none where nothing is compared."""
        if self.findings is None:
            return []
        return [
            (measure.name.replace("_", " "), DEFINITIONS[measure.name])
            for measure in (*MEASURES, OF_FRAME_AVERAGES, ADVANTAGE)
        ]

    @property
    def asked_by_game(self) -> dict[str, dict[str, list[Asked]]]:
        """The prompts by game and, within it, by split and context."""
        games: dict[str, dict[str, list[Asked]]] = {}
        splits = list(dict.fromkeys([TRAINED_SPLIT, *(each.prompt.split for each in self.asked)]))
        for each in sorted(self.asked, key=lambda each: splits.index(each.prompt.split)):
            place = f"{each.prompt.split} / {each.prompt.context}"
            games.setdefault(each.prompt.game, {}).setdefault(place, []).append(each)
        return games


def render_page(page: Page) -> str:
    """Return the page as HTML. Every text is escaped; only figures, style and script go in as they are."""
    environment = Environment(
        loader=FileSystemLoader(PAGE_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = {name: (PAGE_TEMPLATES / f"report.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    environment.filters["inline"] = inline
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    return environment.get_template("report.html.j2").render(page=page, most=MOST_SHOWN, **parts)


def visible(value: Any) -> Any:
    """Return what is shown with pictures in place of control characters, which a model may have written."""
    return value.translate(CONTROL_PICTURES) if isinstance(value, str) else value


def inline(drawing: PageFigure) -> str:
    """Return a figure's SVG as part of a page: no prologue, ids that no other figure has, colours of the page."""
    svg = drawing.svg[drawing.svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(\d\.\d\d)\d+", r"\1", svg)  # a hundredth of a point is finer than any screen
    svg = re.sub(r"\n *", "\n", svg)
    svg = re.sub(r' d="[^"]*"', lambda path: _tight(path[0]), svg)
    svg = re.sub(r'\bid="', f'id="{drawing.name}-', svg)
    svg = re.sub(r'href="#|url\(#', lambda found: f"{found[0]}{drawing.name}-", svg)
    for color, variable in SCREEN_COLORS.items():
        svg = svg.replace(color, variable)
    size = re.compile(r'<svg([^>]*?) width="([\d.]+)pt" height="[\d.]+pt"')
    label = html.escape(drawing.title)
    return size.sub(rf'<svg\1 role="img" aria-label="{label}" style="width: \2pt"', svg, count=1)


def _tight(path: str) -> str:
    """Return the path of a drawing without what means nothing: hundreds of cells and dots are most of a report."""
    return re.sub(r"\s*([MLCQz])\s*", r"\1", re.sub(r"\.0+\b|(\.\d)0\b", r"\1", path))


OF_EXACT_CHOICES = (
    "All probabilities are exact. They are those of answers that begin with a label, which is followed to where it "
    "ends. A choice that an answer makes later on is seen in drawn answers alone."
)


def remarks(findings: Findings) -> list[str]:
    """Return what findings alone ask a reader to keep in mind."""
    said = []
    trainings = " and trainings" if len(findings.seeds) > 1 else ""
    if set(findings.kinds.values()) == {"exact"}:
        said.append(
            f"{OF_EXACT_CHOICES} Intervals say how far a result depends on which contexts{trainings} there happen to "
            "be; there is no sampling error, and the ceiling is perfect agreement."
        )
    if len(findings.seeds) == 1:
        said.append(
            "There is one training: what another seed would have given is in no interval. training.seeds names more."
        )
    if findings.unanswered:
        said.append(f"Left out of all comparisons, since no answer was valid: {listed(findings.unanswered)}.")
    said += [_invalid_by_model(each) for each in findings.agreements]
    for split in findings.splits:
        closed = findings.score("gap_closed", split)
        left_out = findings.score("improvement", split).left_out
        if closed.note:
            said.append(f"{words(split)}: the gap closed {'is' if closed.value is None else 'has'} {closed.note}.")
        if left_out and closed.value is not None:
            said.append(
                f"{words(split)}: base equals teacher in {listed(left_out)}; "
                "improvement and bridging leave out such scenarios."
            )
        said.append(_invalid(findings, split))
    return [remark for remark in said if remark]


def _invalid_by_model(found: Agreement) -> str:
    """Say how many of a model's drawn answers are invalid beside what its exact choices let expect."""
    if found.invalid_p_value >= SMALL_P_VALUE:
        return ""
    return (
        f"{found.model}: {percent(found.invalid / found.answers)} of {found.answers} drawn answers are invalid; the "
        f"probability of anything but a label lets expect {percent(found.invalid_expected / found.answers)}. Exact "
        "choices are of answers that begin with a label."
    )


def _invalid(findings: Findings, split: str) -> str:
    """Say how much of the models' answers is neither choice, where it is much."""
    means = {}
    for model in findings.kinds:
        shares = [each.other for each in findings.choices if (each.model, each.scenario.split) == (model, split)]
        means[model] = sum(shares) / len(shares)
    if max(means.values()) <= MUCH:
        return ""
    listed = ", ".join(f"{model} {percent(mean)}" for model, mean in means.items())
    return (
        f"{words(split)}: on average much of what the models answer is neither choice ({listed}). "
        f"Cooperation is a share of {findings.among}."
    )


def published_page(findings: Findings, counts: Sequence[Path], figures: Sequence[Path], snakemake: str) -> Page:
    """Return the page of the published result, made from the files of its counts."""
    theirs = ", ".join(
        f"{percent(findings.score('improvement', split).value, 2)} {split.replace('_', ' ')}"
        for split in findings.splits
    )
    if findings.donation:
        theirs += f", {percent(findings.donation.improvement, 1)} in the donation game"
    return Page(
        title="The published result, measured again",
        lead=(
            "Lorè, Ilami and Heydari (2024), Large Model Strategic Thinking, Small Model Efficiency, arXiv 2408.05241: "
            "a teacher of 70B parameters, a student of 7B before and after training, 300 answers a scenario. From the "
            "counts that they publish, with no model, every figure is worked out again. Their improvement, the "
            f"mean over scenarios of (tuned - base) / (teacher - base), is {theirs}. Beside it stand other measures, "
            "and what policies reach that ignore the scenario."
        ),
        findings=findings,
        drawings=read_drawings(figures),
        tables=make_tables(findings),
        remarks=remarks(findings),
        provenance={
            "Counts": {str(path): f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in counts},
            "Scoring": findings.settings.model_dump(),
            "Software": versions(snakemake),
        },
    )


def experiment_page(findings: Findings, sources: ReportSources, figures: Sequence[Path]) -> Page:
    """Return the page of an experiment."""
    frames, timings = frames_table(sources.answers), timings_table(read_timings(sources.benchmarks))
    served = served_table(sources.answers)
    teacher, student = (", ".join(findings.provenance[role]["model"]) for role in ("teacher", "tuned"))
    training = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in sources.training.items()}
    prompts = read_prompts(sources.prompts)
    planes = [json.loads(path.read_text(encoding="utf-8")) for path in sources.planes]
    errors = [
        errors_table(f"errors_of_{path.name.removesuffix('.plane.json')}", plane["errors"])
        for path, plane in zip(sources.planes, planes, strict=True)
    ]
    per_choice = sources.experiment["report"]["motivations_per_choice"]
    return Page(
        title=f"From {teacher} to {student}",
        lead=lead_of(findings, sources),
        findings=findings,
        drawings=read_drawings(figures),
        tables=[
            table
            for table in (*errors, *make_tables(findings), *check_tables(sources.checks), frames, served, timings)
            if table.rows
        ],
        ahead=" ".join(filter(None, (floors_ahead(plane["errors"]) for plane in planes))),
        sentences=[sentence for plane in planes for sentence in plane["sentences"]],
        remarks=[*remarks(findings), *_remarks_on_sources(sources, frames, served)],
        games=sources.games,
        asked=asked(first_prompts(prompts), sources.motivations, per_choice),
        prompts=len(prompts),
        provenance={
            **{
                f"The {role}, examined": facts
                for role, facts in examined_models(sources.models, sources.examined).items()
            },
            **{
                f"Answers of the {role} model": {**facts, "prompts": first_hashes(facts["prompts"])}
                for role, facts in findings.provenance.items()
            },
            **{f"Training: {name}": facts for name, facts in training.items()},
            "Experiment": sources.experiment,
            "Software": versions(sources.snakemake),
        },
    )


def first_hashes(prompts: Mapping[str, str], where: str = "in alignment/summary.json") -> dict[str, str]:
    """Return as many hashes as a page shows rows of a table, and where the others are."""
    shown = dict(list(prompts.items())[:MOST_ROWS])
    left_out = len(prompts) - len(shown)
    return shown | ({f"{left_out:,} more": where} if left_out else {})


def _remarks_on_sources(sources: ReportSources, frames: Table, served: Table) -> list[str]:
    said = []
    if change := largest_change(served):
        said.append(
            "A server showed the likeliest tokens alone. What it did not show may change a rate of cooperation by "
            f"{change:.2g} at most."
        )
    if not frames.rows:
        said.append(
            "Every scenario was put in one frame. Cooperation cannot be told apart from liking a letter or position; "
            "more frames in the config can tell."
        )
    if sources.reading and sources.experiment["choices"] != "exact":
        said.append(sources.reading)
    said += written_for_the_teacher(sources.motivations)
    unfinished, drawn = cut_off(sources.motivations)
    if unfinished:
        said.append(f"{unfinished} of {drawn} motivations were cut off at the length that the config sets.")
    return said
