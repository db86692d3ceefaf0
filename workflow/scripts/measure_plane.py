"""Measure how teacher and student play a plane of games: errors beside floors, heat maps, every game."""

import json
from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.job import job
from tomtransfer.measurement.surfaces import plain_surface, read_surfaces, surface_errors
from tomtransfer.report.heat_maps import heat_maps, map_of, save_map
from tomtransfer.report.plane_pages import error_rows, errors_table, games_table, sentences
from tomtransfer.report.typesetting import as_csv, as_latex

with job(snakemake):
    files, params, output = snakemake.input, snakemake.params, snakemake.output
    models = {"teacher": [files.teacher], "base": [files.base], "tuned": files.tuned}
    tables = {model: [Path(path) for path in paths] for model, paths in models.items()}
    surfaces = read_surfaces(snakemake.wildcards.game, [Path(files.prompts)], tables, params.views)
    rows = error_rows(surface_errors(surfaces, params.scoring["confidence"]), surfaces)
    said = {"sentences": sentences(params.facts["title"], rows), "errors": rows}
    said["surfaces"] = [plain_surface(surface) for surface in surfaces]
    write_text(json.dumps(said) + "\n", Path(output.findings))
    drawn = map_of([each for each in surfaces if each.view == surfaces[0].view])
    errors, games = errors_table(Path(output.errors).stem, rows), games_table(Path(output.games).stem, surfaces)
    for table, path in ((errors, output.errors), (games, output.games)):
        write_text(as_csv(table), Path(path))
    write_text(as_latex(errors), Path(output.tex))
    for path in (output.svg, output.pdf):
        save_map(heat_maps(drawn), drawn, Path(path))
