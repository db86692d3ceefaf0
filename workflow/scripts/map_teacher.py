"""Draw how the teacher alone plays a plane of games, as SVG and as PDF."""

from pathlib import Path

from tomtransfer.job import job
from tomtransfer.measurement.surfaces import read_surfaces
from tomtransfer.report.heat_maps import heat_maps, map_of, save_map

with job(snakemake):
    files, output = snakemake.input, snakemake.output
    teacher = {"teacher": [Path(files.choices)]}
    surfaces = read_surfaces(snakemake.wildcards.game, [Path(files.prompts)], teacher, snakemake.params.views)
    drawn = map_of([each for each in surfaces if each.view == surfaces[0].view])
    for path in (output.svg, output.pdf):
        save_map(heat_maps(drawn), drawn, Path(path))
