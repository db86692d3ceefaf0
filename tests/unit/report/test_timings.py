"""Where the time goes, as Snakemake noted it."""

from pathlib import Path

from tomtransfer.report.timings import Timing, read_timings, timings_page, timings_table


def test_jobs_are_read_and_summed_up_by_rule(tmp_path: Path) -> None:
    (tmp_path / "ask").mkdir()
    (tmp_path / "ask" / "snowdrift.tsv").write_text("s\th:m:s\tmax_rss\n2.5\t0:00:02\t700\n")
    (tmp_path / "ask" / "stag_hunt.tsv").write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t800.25\n")
    (tmp_path / "plot.tsv").write_text("s\th:m:s\tmax_rss\n0.1\t0:00:00\tNA\n")
    timings = read_timings(tmp_path)
    assert timings == [
        Timing("ask", "snowdrift", 2.5, 700),
        Timing("ask", "stag_hunt", 12.5, 800.25),
        Timing("plot", "", 0.1, None),
    ]
    assert timings_table(timings).rows[0] == {"rule": "ask", "about": "snowdrift", "seconds": 2.5, "memory": 700}
    assert [" ".join(line.split()) for line in timings_page(timings).splitlines()[4:]] == [
        "| ask | 2 | 15 | 800 |",
        "| plot | 1 | 0 | - |",
        "| **all** | 3 | 15 | |",
    ]
