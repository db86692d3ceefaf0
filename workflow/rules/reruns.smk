"""What a job runs again for: what it was made from is no longer what its record says.

Every rule that makes an artifact has
- a `record` among its outputs, written last: the parameters, and the content of the inputs and outputs of its last run;
- the input `edited`, a mark that is newer than its outputs if, and only if, the record does not hold any more.
So an edit is seen with any rerun triggers and without Snakemake's own records. Times of change only tell when a file was
copied: where a record holds, they are set in the order in which the files were made, and a copied tree has nothing to do.
"""

import os
import shlex
import sys
import time
from contextlib import suppress
from functools import cache
from types import SimpleNamespace

from snakemake.settings.enums import RerunTrigger

from tomtransfer.experiment.locks import hold, try_to_hold
from tomtransfer.experiment.records import changes, known_hash
from tomtransfer.job import NOT_RECORDED
from tomtransfer.report.timings import read_timings, timings_page

EDITED = ".snakemake/tomtransfer-edited"
RECORDED = {}
"""The rules that keep records, by name, with what each of their wildcards may be: names, or a pattern."""


def edited(rule, **values):
    """Return an input of `rule`: a file that is new to each of its jobs whose record does not hold any more.

    `values` are the names that each wildcard may be, or a pattern of them.
    """
    RECORDED[rule] = values

    def mark(wildcards):
        if not workflow.is_main_process:
            return ancient(local(EDITED))  # what runs was decided before
        tell_of_triggers()
        found = reasons(rule, tuple(wildcards.items()))
        if found and rule.startswith("ask_"):
            tell_of_costs()
        place_mark(parts(rule, wildcards)["outputs"] if found else [])
        return local(EDITED) if found else ancient(local(EDITED))

    return mark


def awaited(rule, files):
    """Return inputs of `rule`: files that its jobs wait for where they run, and that let none of them run.

    They are inputs of jobs alone that run for a reason of their own. Were they `ancient` inputs of the others, Snakemake
    would look for no reasons of jobs that come after these, since it takes them to follow from the files being made.
    Snakemake's own trigger on the set of inputs, which is on without our profile, wants that set to stay the same.
    `files` may be a function of nothing that is called when jobs are planned.
    """

    def inputs(wildcards):
        wanted = files() if callable(files) else files
        if RerunTrigger.INPUT in workflow.rerun_triggers:
            return wanted
        runs = workflow.is_main_process and reasons(rule, tuple(wildcards.items()))
        return wanted if runs else []

    return inputs


@cache
def tell_of_triggers():
    """Say once that the profile was not read, which is known only when the jobs are planned."""
    if RerunTrigger.CODE in workflow.rerun_triggers:
        print(
            "tomtransfer: Snakemake's own triggers are on, so that more may be made again than has to be; if "
            "profiles/default was not read, say --workflow-profile CLONE/profiles/default",
            file=sys.stderr,
        )


@cache
def tell_of_costs():
    """Say once, where somebody is to be asked who costs something, how to find out how much is missing."""
    if COSTLY:
        given = [f"--configfile {shlex.quote(os.path.relpath(file))}" for file in config_files()[1:]]
        given += [f"--config {shlex.quote(value)}" for value in workflow.config_settings.config_args or []]
        plan = " ".join(["tomtransfer plan", *given])
        print(
            f"tomtransfer: {', '.join(COSTLY)}: asking costs something; `{plan}` says how much is missing, "
            "and what that takes, before it is spent",
            file=sys.stderr,
        )


@cache
def wait_for_other_runs():
    """Hold the results folder while this runs: a run from another clone waits until this one is done.

    Snakemake removes a job's outputs before it starts the job. Another run into the same results would find its inputs
    gone. What is to run is decided only then: mostly the other run has made it. Of two runs in one folder Snakemake
    itself turns the second away.
    """
    if workflow.executor_plugin is None or workflow.dryrun or not workflow.execution_settings.lock:
        return None
    here = try_to_hold(Path(".snakemake/tomtransfer-run.lock").resolve())
    if here is None:
        return None
    # As outputs have it: the prefix of a module is before it.
    results = Path(str(rules.render_prompts.output.record)).parents[2]
    meanwhile = f"tomtransfer: another run is writing to {results}; waiting until it is done"
    return here, hold(results.resolve() / ".run.lock", meanwhile)


@cache
def reasons(rule, wildcards):
    """Return in words why a job has to run again, be it for what another job is to make anew; nothing if it need not."""
    wait_for_other_runs()
    part = parts(rule, SimpleNamespace(**dict(wildcards)))
    found = changes(part["record"], part["settings"], part["inputs"])
    for maker in makers(part):
        if reasons(*maker):
            found.append(f"{maker[0]} runs again")
    if not found:
        put_in_order(part)
    return found


def parts(rule, wildcards):
    """Return what a job of `rule` is made of: its record, its settings, its inputs by name, its outputs."""
    declared = getattr(rules, rule)

    def concrete(item):
        if callable(item):
            item = item(wildcards)
        items = [item] if isinstance(item, str) else item
        return [Path(str(each).format(**vars(wildcards))) for each in items]

    outputs = {name: concrete(item) for name, item in declared.output.items()}
    return {
        "record": outputs.pop("record")[0],
        "settings": {name: item(wildcards) if callable(item) else item for name, item in declared.params.items()},
        "inputs": {name: concrete(item) for name, item in declared.input.items() if name not in NOT_RECORDED},
        "outputs": [file for files in outputs.values() for file in files],
        "benchmark": concrete(declared.benchmark)[0],  # Snakemake takes its time for that of an output
    }


def makers(part):
    """Return the jobs that make the inputs of a job, each once: a rule and its wildcards."""
    files = [str(file) for files in part["inputs"].values() for file in files]
    return list(dict.fromkeys(maker for file in files if (maker := maker_of(file))))


@cache
def maker_of(file):
    """Return the rule that makes a file, with its wildcards, or None for one that people write."""
    for rule, pattern in output_patterns():
        if found := pattern.fullmatch(file):
            return rule, tuple(found.groupdict().items())
    return None


@cache
def output_patterns():
    """Return a pattern for every output of every rule that keeps records."""
    found = []
    for rule, values in RECORDED.items():
        patterns = {name: each if isinstance(each, str) else either(each) for name, each in values.items()}
        groups = {name: f"(?P<{name}>{pattern})" for name, pattern in patterns.items()}
        for file in getattr(rules, rule).output:
            text = re.escape(str(file)).replace(r"\{", "{").replace(r"\}", "}")
            found.append((rule, re.compile(text.format(**groups))))
    return found


@cache
def new_mark():
    """Write the file that is newer than anything made before, and return its time."""
    mark = Path(EDITED)
    mark.parent.mkdir(exist_ok=True)
    # Snakemake takes a newer file of the same content for the old one.
    mark.write_text(f"{time.time_ns()}\n", encoding="utf-8")
    return mark.stat().st_mtime


def put_in_order(part):
    """Have the outputs of a job that need not run no older than its inputs, and none of them from the future."""
    files = [file for files in part["inputs"].values() for file in files]
    inputs = max((file.stat().st_mtime_ns for file in files if maker_of(str(file))), default=0)
    made = [*part["outputs"], part["record"], part["benchmark"]]
    for file in filter(Path.exists, made):
        found = file.stat().st_mtime_ns
        wanted = min(max(found, inputs), time.time_ns())
        if found != wanted:
            with suppress(OSError):  # a folder that cannot be written to
                os.utime(file, ns=(wanted, wanted))


def place_mark(outputs):
    """See to it that the mark is there, and newer than `outputs`, whose times may be of another machine's clock."""
    newer = new_mark()
    for file in outputs:
        if file.exists() and file.stat().st_mtime >= newer:
            with suppress(OSError):
                os.utime(file, (newer - 1, newer - 1))


def show_summary():
    """Print the pages that sum up the experiment, as far as it has come, and where the time went.

    A page that does not hold any more is named instead: a partial target may have left it behind, and so may an edit that
    was made while this ran.
    """
    known_hash.cache_clear()
    reasons.cache_clear()
    amounts = [("score_amount", (("game", game),)) for game in AMOUNT_GAMES]
    compared = [("summarize", ()), *amounts, ("check_answers", ())] if experiment.student else []
    for rule, values in [*compared, ("measure_teacher", ())]:
        page = Path(str(getattr(rules, rule).output.page).format(**dict(values)))
        if page.exists() and (why := reasons(rule, values)):
            target = " teacher" if rule == "measure_teacher" else ""
            print(f"{page} is older than what it sums up ({'; '.join(why)}): run `snakemake --cores all{target}`\n")
        elif page.exists():
            print(page.read_text(encoding="utf-8"))
    print(timings_page(read_timings(Path(RESULTS) / "benchmarks")))
