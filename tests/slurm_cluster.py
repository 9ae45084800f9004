"""A real Slurm on this machine for a test: its own folder, its own ports, nodes that are all this host."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator

NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "scancel", "scontrol", "srun")
SECONDS = 30.0
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
SwitchType=switch/none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=200
MinJobAge=300
KillWait=20
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=urgent Nodes=ALL Default=NO MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


def lacking() -> str:
    """Why there can be no cluster here, '' if there can."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    missing = [name for name in NEEDED if shutil.which(name, path=path) is None]
    if missing:
        return f"Slurm is not installed here ({', '.join(missing)} lacking): slurmctld slurmd slurm-client munge"
    return "" if sys.platform == "linux" else "Slurm is for Linux"


@contextmanager
def cluster(folder: Path, nodes: int = 2, cpus: int = 2, memory: int = 6000) -> Iterator[None]:
    """The cluster, reached by SLURM_CONF in the environment."""
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    ports = free_ports(nodes + 1)
    for number in range(nodes):
        (folder / "spool" / f"n{number}").mkdir()
    host, user = socket.gethostname().partition(".")[0], subprocess.check_output(["id", "-un"], text=True).strip()
    lines = "\n".join(
        f"NodeName=n{k} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={memory}"
        for k, port in enumerate(ports[1:])
    )
    (folder / "slurm.conf").write_text(
        CONFIGURATION.format(host=host, port=ports[0], user=user, folder=folder, nodes=lines)
    )
    before = {name: os.environ.get(name) for name in ("SLURM_CONF", "PATH")}
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    try:
        start(folder, nodes)
        yield
    finally:
        stop(folder)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def start(folder: Path, nodes: int) -> None:
    """Start the daemons, and wait until all nodes are idle."""
    key = folder / "munge" / "key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    munge = [f"--{name}={folder}/munge/{name}" for name in ("socket", "pid-file", "log-file", "seed-file")]
    subprocess.run(["munged", "--force", f"--key-file={key}", *munge], check=True, capture_output=True)
    subprocess.run(["slurmctld", "-i"], check=True, capture_output=True)
    for number in range(nodes):
        subprocess.run(["slurmd", "-N", f"n{number}"], check=True, capture_output=True)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        idle = subprocess.run(["sinfo", "-h", "-N", "-p", "main", "-t", "idle", "-o", "%N"],
                              capture_output=True, text=True, check=False)  # fmt: skip
        if len(idle.stdout.split()) == nodes:
            return
        time.sleep(0.1)
    logs = "\n".join(path.read_text()[-1500:] for path in folder.glob("*.log"))
    raise RuntimeError(f"Slurm did not come up:\n{logs}")


def stop(folder: Path) -> None:
    """End the daemons, by their numbers: nodes first."""
    files = [*folder.glob("slurmd.*.pid"), folder / "slurmctld.pid", folder / "munge" / "pid-file"]
    for file in files:
        with suppress(OSError, ValueError):
            number = int(file.read_text())
            os.kill(number, signal.SIGTERM)
            end = time.monotonic() + 5
            while time.monotonic() < end and alive(number):
                time.sleep(0.05)
            if alive(number):
                os.kill(number, signal.SIGKILL)


def alive(number: int) -> bool:
    """Whether a process is there and not just a name left to collect."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
