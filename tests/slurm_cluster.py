"""A Slurm cluster for the tests: the real daemons on this machine, one node with one pretend GPU, no accounting.

Everything that it keeps stands in one folder, and it listens on ports of its own, so that no Slurm that is already here
is touched. Whatever is run with `environment()` talks to it.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import pytest

PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "sinfo")
DAEMONS = ("slurmd", "slurmctld", "munged")
SECONDS_TO_START = 60

# The node claims more cores than it may have. A job has two seconds to end before it is killed, and stays on record.
SETTINGS = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser={user}
SlurmdUser={user}
MpiDefault=none
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,batch_sched_delay=0
KillWait=2
MinJobAge=3600
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdSpoolDir={folder}/spool
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=32000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True)
class Job:
    """What Slurm has on record of a job."""

    number: str
    rule: str
    state: str
    gpus: int
    minutes: int
    memory_mb: int
    cores: int


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    folder: Path

    def environment(self) -> dict[str, str]:
        """Return the environment in which Slurm's commands talk to this cluster."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def command(self, *arguments: str) -> str:
        """Run one of Slurm's commands and return what it prints."""
        done = subprocess.run(arguments, env=self.environment(), text=True, capture_output=True, check=True)
        return done.stdout

    def jobs(self) -> list[Job]:
        """Return every job that was ever submitted, in order."""
        lines = self.command("scontrol", "show", "job", "--oneliner").splitlines()
        return [_read_job(line) for line in lines if line.startswith("JobId=")]


@contextmanager
def slurm(folder: Path) -> Iterator[Cluster]:
    """Start a cluster that keeps its files in `folder`, and stop it in the end; skips where Slurm is missing."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("slurmd runs jobs only when it is started by root")
    cluster = Cluster(folder)
    try:
        _start(cluster)
        yield cluster
    finally:
        for name in DAEMONS:
            with suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int((folder / f"{name}.pid").read_text()), signal.SIGTERM)


def _start(cluster: Cluster) -> None:
    folder, host = cluster.folder, socket.gethostname().split(".")[0]
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir()
    ports = {"controller_port": _free_port(), "node_port": _free_port()}
    (folder / "slurm.conf").write_text(SETTINGS.format(folder=folder, host=host, user=getuser(), **ports))
    (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File=/dev/null\n")
    # Snakemake's executor hides SLURM_CONF from srun, which on most clusters is not needed.
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    cluster.command("mungekey", "--create", "--keyfile", str(folder / "munge.key"))
    files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munged.pid"}
    files |= {"log-file": "munged.log", "seed-file": "munge.seed"}
    cluster.command("munged", "--force", *(f"--{option}={folder / name}" for option, name in files.items()))
    cluster.command("slurmctld")
    cluster.command("slurmd")
    end = time.monotonic() + SECONDS_TO_START
    while "idle" not in cluster.command("sinfo", "--noheader", "--format=%T"):
        logs = "\n".join((folder / f"{name}.log").read_text() for name in DAEMONS)
        assert time.monotonic() < end, f"Slurm does not come up:\n{logs}"
        time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _read_job(line: str) -> Job:
    """Return a job as `scontrol show job` prints it."""
    found = dict(re.findall(r"(\S+?)=(\S*)", line))
    rule = re.sub(r"_wildcards_.*", "", found.get("Comment", "")).removeprefix("rule_")
    gpus = re.search(r"gres:gpu:(\d+)", found.get("TresPerJob", ""))
    hours, minutes, _ = found["TimeLimit"].split(":")
    return Job(
        number=found["JobId"],
        rule=rule,
        state=found["JobState"],
        gpus=int(gpus[1]) if gpus else 0,
        minutes=60 * int(hours) + int(minutes),
        memory_mb=_megabytes(found["MinMemoryNode"]),
        cores=int(found["CPUs/Task"]),
    )


def _megabytes(amount: str) -> int:
    """Return what Slurm prints as 2000M or 6G in MB."""
    return int(float(amount.rstrip("MG")) * (1024 if amount.endswith("G") else 1))
