"""Ask the teacher or the student everything that the rule has an output for."""

from pathlib import Path

from tomtransfer.experiment.origins import read_experiment
from tomtransfer.experiment.store import Store
from tomtransfer.job import job
from tomtransfer.models.registry import read_registry
from tomtransfer.respondents.asking import Asking
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.respondents.opening import open_respondent
from tomtransfer.training.adapter import adapter_hash

with job(snakemake):
    paths = read_experiment(snakemake.config, []).paths
    adapter = Path(snakemake.input.adapter).parent if snakemake.input.get("adapter") else None
    respondent = open_respondent(
        Path(paths.models) / Path(snakemake.input.model).stem,
        read_registry(Path(paths.registry)),
        device=snakemake.resources.device,
        tokens_per_batch=snakemake.resources.tokens_per_batch,
        examinations=Path(paths.store) / "examined",
        adapter=adapter,
        adapter_key=adapter_hash(adapter) if adapter else "",
        **snakemake.params.respondent,
    )
    prompts = snakemake.input.prompts
    store = Store(Path(paths.store))
    store.note_use(Path(snakemake.output.answers).parents[1])
    elicitation = Elicitation(respondent, Asking(**snakemake.params.asking), store)
    elicitation.tables(
        [Path(prompts)] if isinstance(prompts, str) else [Path(path) for path in prompts],
        {name: Path(path) for name, path in snakemake.output.items()},
    )
