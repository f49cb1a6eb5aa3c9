#!/usr/bin/env python3
"""Runs the job files of docs/cluster.md as they stand there, with its folders in one of the test's: each element as its
scheduler would start it, one of them killed on the way and started again. In the end the parts must answer as one
collection of the same pictures.

usage: job_files_test.py slurm | kubernetes | parallel | xargs     skipped, with a reason, where something is not installed

Slurm and Kubernetes are not here: what they would set is set, and what a Job may hold is looked up in a table and, where
there is a kubectl, read by its own types. (slurm_test.sh submits the same file to a real Slurm.)
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = SOURCE / "build/release"  # where the environment names none
INDEX = os.environ.get("ZEROSHELF_INDEX_PROGRAM", str(BUILD / "indexer/zeroshelf-index"))
QUERY = os.environ.get("ZEROSHELF_QUERY_PROGRAM", str(BUILD / "query/zeroshelf-query"))
SKIPPED = 77
PICTURES = 48
KILLED = 137  # 128 + SIGKILL, what a shell and Kubernetes call it
TRIES = 3


def skip(reason):
    print("skipped:", reason)
    sys.exit(SKIPPED)


def block(language, word):
    """The one piece of the page in that language that has the word."""
    page = (SOURCE / "docs/cluster.md").read_text()
    found = [text for text in re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S) if word in text]
    assert len(found) == 1, f"docs/cluster.md has {len(found)} pieces of {language} with '{word}'"
    return found[0]


def write_picture(path, number):
    """64 pixels a side, of three colours that follow from the number."""
    colours = [bytes((37 * number + 85 * part) % 256 for part in parts) for parts in ((0, 1, 2), (2, 0, 1), (1, 2, 0))]
    pixels = b"".join(colours[(x // 8 + number * (y // 16)) % 3] for y in range(64) for x in range(64))
    path.write_bytes(b"P6\n64 64\n255\n" + pixels)


# Whichever element comes first is killed in the middle: when its folder is there. Text is not looked for, which takes longest.
KILLING = """#!/bin/sh
if mkdir '{work}/killed' 2>/dev/null; then
  '{index}' "$@" --no-ocr &
  tries=0
  until [ -d "$2" ] || [ $tries -eq 500 ]; do sleep 0.01; tries=$((tries + 1)); done
  kill -9 $! 2>/dev/null
  wait $! 2>/dev/null
  exit {killed}
fi
exec '{index}' "$@" --no-ocr
"""


class Site:
    """A folder in which the pictures are, the parts come to be, and the programs are found."""

    def __init__(self, work):
        self.work = work
        self.pictures = work / "pictures"
        self.pictures.mkdir()
        for number in range(PICTURES):
            write_picture(self.pictures / f"{number:03}.ppm", number)
        (self.pictures / "no-picture.jpg").write_text("not a picture")  # ends an element with 3
        self.programs = work / "bin"
        self.programs.mkdir()
        killing = self.programs / "zeroshelf-index"
        killing.write_text(KILLING.format(work=work, index=INDEX, killed=KILLED))
        killing.chmod(0o755)
        (self.programs / "zeroshelf-query").symlink_to(QUERY)
        (work / "home").mkdir()
        self.environment = {"PATH": f"{self.programs}:{os.environ['PATH']}", "HOME": str(work / "home")}

    def here(self, text, folders=("/pictures",)):
        """With the page's folders in the test's."""
        return re.sub(rf"(?<![\w.])({'|'.join(folders)})\b", rf"{self.work}\1", text)

    def run(self, command, ok=(0,), **environment):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300, cwd=self.work,
                              env={**self.environment, **environment})
        assert ok is None or done.returncode in ok, (command, done.returncode, done.stdout, done.stderr)
        return done

    def run_elements(self, numbers, run_element):
        """As a scheduler does: those that failed again. run_element gives an exit code."""
        left, failures = list(numbers), 0
        for _ in range(TRIES):
            with ThreadPoolExecutor(2) as pool:
                codes = dict(zip(left, pool.map(run_element, left)))
            left = [number for number in left if codes[number] != 0]
            failures += len(left)
        assert not left, f"elements {left} do not end well: {codes}"
        assert failures == 1, f"{failures} elements failed, and one was killed"

    def expect_whole(self, shelf):
        """The parts in a folder answer as one collection of all pictures."""
        whole = self.work / "whole"
        self.run([INDEX, "add", whole, self.pictures, "--no-ocr"], ok=(3,))
        self.run([INDEX, "verify", shelf])
        ask = ["--labels", "red, blue, stripes", "--format", "jsonl"]
        of_whole, of_parts = (self.run([QUERY, "classify", place, *ask]).stdout for place in (whole, shelf))
        assert of_whole.count("\n") == PICTURES, of_whole
        assert of_parts == of_whole, "the parts answer otherwise than one collection"


# --- Slurm ------------------------------------------------------------------------------------------------------------

def try_slurm(site):
    script = block("sh", "#SBATCH")
    options = dict(re.findall(r"--([a-z-]+)(?:=(\S+))?", " ".join(re.findall(r"^#SBATCH (.*)$", script, re.M))))
    assert set(options) == {"array", "requeue", "cpus-per-task", "open-mode", "output"}, options
    first, last = map(int, options["array"].split("-"))
    file = site.work / "index.sh"
    file.write_text(site.here(script))

    def run_element(number):
        return site.run(["sh", file], ok=None, SLURM_ARRAY_TASK_ID=str(number),
                        SLURM_CPUS_PER_TASK=options["cpus-per-task"]).returncode

    site.run_elements(range(first, last + 1), run_element)
    site.expect_whole(site.work / "shelf")


# --- lines for a shell ------------------------------------------------------------------------------------------------

def try_xargs(site):
    lines = site.here(block("sh", "xargs -P"))
    first = site.run(["sh", "-c", lines], ok=None)
    assert "killed" in os.listdir(site.work)
    last = site.run(["sh", "-c", lines])
    assert f"{PICTURES} pictures labelled" in last.stderr, (first.stderr, last.stderr)
    site.expect_whole(site.work / "shelf")


def try_parallel(site):
    if "GNU" not in subprocess.run(["sh", "-c", "parallel --version 2>/dev/null"], capture_output=True, text=True).stdout:
        skip("no GNU parallel (apt-get install parallel)")
    line = site.here(block("sh", "parallel --joblog"))
    retries = int(re.search(r"--retries (\d+)", line)[1])
    assert retries > 1
    # Without tries of its own the first run ends with the element that was killed in its log.
    site.run(["sh", "-c", line.replace(f"--retries {retries} ", "")], ok=(1,))
    runs = (site.work / "index.log").read_text().splitlines()[1:]
    assert sum(run.split("\t")[6] != "0" for run in runs) == 1, runs
    site.run(["sh", "-c", line])
    again = (site.work / "index.log").read_text().splitlines()[1:]
    assert len(again) == len(runs) + 1, "more than what had failed ran again"
    site.expect_whole(site.work / "shelf")


# --- Kubernetes -------------------------------------------------------------------------------------------------------

# What of batch/v1 and v1 a Job of ours may hold, with the types; [T]: a list, {}: names that are the user's.
CONTAINER = {
    "name": str, "image": str, "command": [str], "args": [str], "env": [{"name": str, "value": str}], "workingDir": str,
    "imagePullPolicy": str,
    "resources": {"requests": {"cpu": str, "memory": str}, "limits": {"cpu": str, "memory": str}},
    "securityContext": {"allowPrivilegeEscalation": bool, "readOnlyRootFilesystem": bool, "capabilities": {"drop": [str]}},
    "volumeMounts": [{"name": str, "mountPath": str, "readOnly": bool, "subPath": str}],
}
POD = {
    "restartPolicy": str, "terminationGracePeriodSeconds": int, "automountServiceAccountToken": bool,
    "securityContext": {"runAsNonRoot": bool, "runAsUser": int, "runAsGroup": int, "fsGroup": int,
                        "fsGroupChangePolicy": str, "seccompProfile": {"type": str}},
    "containers": [CONTAINER],
    "volumes": [{"name": str, "persistentVolumeClaim": {"claimName": str, "readOnly": bool},
                 "emptyDir": {"medium": str, "sizeLimit": str}}],
}
JOB = {
    "apiVersion": str, "kind": str, "metadata": {"name": str},
    "spec": {
        "completionMode": str, "completions": int, "parallelism": int, "backoffLimitPerIndex": int, "maxFailedIndexes": int,
        "ttlSecondsAfterFinished": int,
        "podFailurePolicy": {"rules": [{"action": str, "onPodConditions": [{"type": str, "status": str}]}]},
        "template": {"spec": POD},
    },
}


def expect_form(value, form, where="job"):
    if isinstance(form, dict):
        assert isinstance(value, dict), f"{where} is no object"
        for name, member in value.items():
            assert name in form, f"{where}.{name}: not known to this test"
            expect_form(member, form[name], f"{where}.{name}")
    elif isinstance(form, list):
        assert isinstance(value, list), f"{where} is no list"
        for number, one in enumerate(value):
            expect_form(one, form[0], f"{where}[{number}]")
    else:
        assert type(value) is form, f"{where}: {value!r} is no {form.__name__}"


def expect_kept(given, read, where="job"):
    """Everything that was given is also there after it was read into types, which drops what they do not have."""
    if isinstance(given, dict):
        for name, member in given.items():
            assert name in read, f"{where}.{name}: kubectl knows no such field"
            expect_kept(member, read[name], f"{where}.{name}")
    elif isinstance(given, list):
        assert len(given) == len(read), where
        for number, (one, other) in enumerate(zip(given, read)):
            expect_kept(one, other, f"{where}[{number}]")
    else:
        assert given == read, f"{where}: {given!r} was read as {read!r}"


def expect_read_by_kubectl(site, text, job):
    """Without a server: it changes nothing, and reads and writes the file through Kubernetes' types."""
    if shutil.which("kubectl") is None:
        return
    container = job["spec"]["template"]["spec"]["containers"][0]
    file = site.work / "job.yaml"
    file.write_text(text)
    done = site.run(["kubectl", "set", "image", "--local", "-f", file, f"{container['name']}=another", "-o", "json"])
    container["image"] = "another"
    expect_kept(job, json.loads(done.stdout))


def expect_sound(job):
    """What the server would refuse, and what Dockerfile and compose.yaml ask for."""
    spec = job["spec"]
    pod = spec["template"]["spec"]
    container, = pod["containers"]
    assert (job["apiVersion"], job["kind"], spec["completionMode"]) == ("batch/v1", "Job", "Indexed")
    assert 1 <= spec["parallelism"] <= spec["completions"] and spec["backoffLimitPerIndex"] >= 1
    assert pod["restartPolicy"] == "Never"  # else neither of the two below may be asked for
    rule, = spec["podFailurePolicy"]["rules"]
    assert rule == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert {mount["name"] for mount in mounts.values()} == set(volumes)
    assert all(len(volume) == 2 for volume in volumes.values()), "a volume is of one kind"
    assert mounts["/pictures"]["readOnly"] and not mounts["/collection"].get("readOnly")

    user = re.search(r"useradd --uid (\d+)", (SOURCE / "Dockerfile").read_text())[1]
    context = pod["securityContext"]
    assert context["runAsNonRoot"] and str(context["runAsUser"]) == str(context["fsGroup"]) == user
    compose = (SOURCE / "compose.yaml").read_text()
    own = container["securityContext"]
    for line, holds in {"read_only: true": own["readOnlyRootFilesystem"], "cap_drop: [ALL]": own["capabilities"] == {"drop": ["ALL"]},
                        "no-new-privileges:true": not own["allowPrivilegeEscalation"], "tmpfs: [/tmp]": "/tmp" in mounts,
                        ":/pictures:ro": True, "collection:/collection": True}.items():
        assert line in compose and holds, line
    return container, list(mounts)


def expand(word, variables):
    """$(NAME) as Kubernetes replaces it; $$ stands for $."""
    return re.sub(r"\$\$|\$\((\w+)\)", lambda found: "$" if found[0] == "$$" else variables.get(found[1], found[0]), word)


def try_kubernetes(site):
    try:
        import yaml
    except ImportError:
        skip("no yaml for Python (apt-get install python3-yaml)")
    text = block("yaml", "kind: Job")
    job = yaml.safe_load(text)
    expect_form(job, JOB)
    container, folders = expect_sound(job)
    expect_read_by_kubectl(site, text, job)
    assert job["spec"]["backoffLimitPerIndex"] + 1 >= TRIES

    home, = re.findall(r"^ENV HOME=(\S+)$", (SOURCE / "Dockerfile").read_text(), re.M)
    site.environment["HOME"] = site.here(home, folders)
    # What `zeroshelf-fetch ViT-B-32` leaves in the volume.
    models = pathlib.Path(site.environment["HOME"]) / ".local/share/zeroshelf/models"
    models.mkdir(parents=True)
    (models / "ViT-B-32").symlink_to(SOURCE / "models/mini")
    (site.work / "tmp").mkdir()

    def run_element(index):
        variables = {"JOB_COMPLETION_INDEX": str(index)}
        words = [site.here(expand(word, variables), folders) for word in container["command"] + container.get("args", [])]
        return site.run(words, ok=None, **variables).returncode

    site.run_elements(range(job["spec"]["completions"]), run_element)
    site.expect_whole(site.work / "collection/shelf")


def main():
    tries = {"slurm": try_slurm, "kubernetes": try_kubernetes, "parallel": try_parallel, "xargs": try_xargs}
    if len(sys.argv) != 2 or sys.argv[1] not in tries:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="zeroshelf-job-") as work:
        tries[sys.argv[1]](Site(pathlib.Path(work)))


if __name__ == "__main__":
    main()
