#!/usr/bin/env python3
"""serve in three processes that mpirun starts answers as one with all parts, to the byte; what takes all parts in one is
refused, and an error of one question leaves the processes ready for the next. Skipped where there is no mpirun, or
zeroshelf was built without libopenmpi-dev."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import serving  # noqa: E402

PARTS = 5
PROCESSES = 3
LABELS = {"labels": [{"name": "Doom"}, {"name": "Animal Crossing"}]}
# On this machine alone, in fewer cores than there are processes, by root as well.
LAUNCHER = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_pml": "ob1",
    "OMPI_MCA_coll": "basic,libnbc,self", "OMPI_MCA_btl": "self,vader,tcp",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_btl_tcp_if_include": "lo",
    "OMPI_MCA_oob_tcp_if_include": "lo", "OMPI_MCA_plm": "isolated", "PMIX_MCA_gds": "hash",
}


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def plain(answer):
    """Without how long it took."""
    return re.sub(rb'"seconds":[0-9.e-]+', b"", answer.body)


class Both:
    """One process with all parts beside several."""

    def __init__(self, alone, together):
        self.alone, self.together = alone, together

    def ask(self, method, path, body=None, status=200):
        wanted = self.alone.ask(method, path, body)
        got = self.together.ask(method, path, body)
        assert (wanted.status, got.status) == (status, status), (path, body, wanted.status, got.status, got.body)
        assert plain(got) == plain(wanted), (path, body, wanted.body[:1500], got.body[:1500])
        return wanted

    def refused(self, method, path, body=None):
        got = self.together.ask(method, path, body)
        assert got.status == 503 and b"without mpirun" in got.body, (path, got.status, got.body)


def test_labels(both):
    for more in ({}, {"threshold": 0.7, "fusion": "max"}, {"none": True}, {"sort": "margin", "per_label": 3},
                 {"sort": "disagreement", "per_label": 7, "bins": 5}, {"multi": True, "threshold": 0.3, "per_label": 9},
                 {"labels": ["game/Doom", "game/Animal Crossing", "food"]}, {"per_label": 0}):
        both.ask("POST", "/v1/classify", {**LABELS, **more})
    # Again, from memory.
    both.ask("POST", "/v1/classify", LABELS)


def test_shelves(both):
    for label in ("Doom", None):
        for more in ({"limit": 7}, {"offset": 5, "limit": 9, "threshold": 0.9}, {"offset": 2**64 - 1}, {"sort": "margin"},
                     {"multi": True, "threshold": 0.4, "offset": 3, "limit": 8}):
            both.ask("POST", "/v1/classify/pictures", {**LABELS, **more, "label": label})


def test_searches(both, pictures):
    row, path = pictures[3]["row"], pictures[3]["path"]
    terms = [{"text": "demon"}, {"text": "rip and tear", "in": "text"}, {"text": '"island"'}, {"row": row},
             {"row": row, "in": "picture", "plus": [{"text": "at night"}]}, {"vector": [0.5] + [0.0] * 255}]
    for term in terms:
        for more in ({"all": True, "k": 60}, {"k": 5}, {"group": True, "all": True}, {"exact": True, "all": True}):
            answer = both.alone.ask("POST", "/v1/search", {**term, **more})
            both.ask("POST", "/v1/search", {**term, **more}, status=answer.status)
    both.ask("POST", "/v1/search", {"text": "demon", "all": True, "filters": {"path": ["*1*"]}})
    both.ask("POST", "/v1/search", {"text": "demon", "all": True, "filters": {"label": ["Doom"], "labelling": LABELS}})
    return path


def test_pictures(both, pictures):
    for picture in pictures:
        at = f"/v1/pictures/{picture['row']}"
        assert json.loads(both.ask("GET", at).body)["path"] == picture["path"]
        both.ask("GET", f"{at}?sha256={picture['sha256']}")
        both.ask("POST", f"{at}/evidence", LABELS)
    # The content counts where the row is another one now.
    one, other = pictures[0], pictures[-1]
    both.ask("GET", f"/v1/pictures/{one['row']}?sha256={other['sha256']}")
    for picture in pictures[:6]:
        both.ask("GET", f"/v1/pictures/{picture['row']}/thumbnail?size=160")
        both.ask("GET", f"/v1/pictures/{picture['row']}/file")


def test_errors_leave_them_ready(both):
    for method, path, body, status in (
            ("POST", "/v1/classify", {"labels": []}, 400), ("POST", "/v1/classify", b"{", 400),
            ("POST", "/v1/classify", {**LABELS, "nonsense": 1}, 400),
            ("POST", "/v1/classify/pictures", {**LABELS, "label": "nobody"}, 400),
            ("POST", "/v1/search", {}, 400), ("POST", "/v1/search", {"row": 10**9}, 404),
            ("POST", "/v1/search", {"vector": [1.0]}, 400),
            ("GET", "/v1/pictures/1000000000", None, 404), ("GET", "/v1/pictures/x", None, 404),
            ("GET", f"/v1/pictures/0?sha256={'0' * 64}", None, 404), ("GET", "/v1/pictures/99999/thumbnail", None, 404),
            ("GET", "/v1/pictures/3/record", None, 404)):
        headers = {"Content-Type": "application/json"} if isinstance(body, bytes) else None
        for server in (both.alone, both.together):
            answer = server.ask(method, path, body, headers)
            assert answer.status == status, (path, body, answer.status, answer.body)
        both.ask("POST", "/v1/classify", LABELS)


def test_what_takes_one_process_is_refused(both):
    both.refused("GET", "/v1/stats")
    both.refused("POST", "/v1/classify/answers", LABELS)
    both.refused("GET", "/v1/duplicates")
    assert both.together.ask("PUT", "/v1/runs/monday", LABELS).status == 403  # it only reads
    for path in ("/v1/runs", "/healthz", "/metrics", "/"):
        assert both.together.ask("GET", path).status == 200, path


def test_what_it_is(both):
    alone, together = (server.ask("GET", "/v1/collection").json() for server in (both.alone, both.together))
    assert together == alone, (alone, together)
    assert len(together["parts"]) == PARTS


def test_clients_at_once(both):
    asks = [("POST", "/v1/classify", {**LABELS, "per_label": number}) for number in range(6)]
    asks += [("POST", "/v1/search", {"text": "demon", "all": True, "k": 1 + number}) for number in range(6)]
    wanted = [plain(both.alone.ask(*one)) for one in asks]
    faults = []

    def client(start):
        for step in range(len(asks)):
            number = (start + step) % len(asks)
            if plain(both.together.ask(*asks[number])) != wanted[number]:
                faults.append(asks[number])

    threads = [threading.Thread(target=client, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults


def children(process):
    """Of a launcher: the processes that it started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def test_all_end(server, how):
    """how(children): what makes the launcher end them."""
    processes = children(server.process)
    assert len(processes) == PROCESSES, processes
    how(processes)
    server.process.wait(timeout=60)
    server.wait_until(lambda: not any(os.path.exists(f"/proc/{one}") for one in processes))


def main():
    mpirun = shutil.which("mpirun")
    if mpirun is None:
        skip("no mpirun")
    os.environ.update(LAUNCHER)
    with tempfile.TemporaryDirectory(prefix="zeroshelf-together-") as folder:
        folder = pathlib.Path(folder)
        serving.draw(folder / "pictures", 40)
        shutil.copy(next((folder / "pictures").glob("*/*.jpg")), folder / "pictures" / "copy.jpg")
        for number in range(PARTS):
            serving.run(serving.INDEX, "add", folder / f"part{number}", folder / "pictures", "--shard", f"{number}/{PARTS}",
                        "--threads", "2")
        parts = [folder / f"part{number}" for number in range(PARTS)]
        probe = subprocess.run([mpirun, "-n", "2", serving.QUERY, "classify", *parts, "--labels", "a, b", "--summary"],
                               capture_output=True, text=True)
        if "built with libopenmpi-dev" in probe.stderr:
            skip("built without MPI")
        with serving.Server(*parts, flags=["--read-only"]) as alone, \
                serving.Server(*parts, before=[mpirun, "-n", str(PROCESSES)]) as together:
            both = Both(alone, together)
            pictures = [picture for label in alone.ask("POST", "/v1/classify", LABELS).json()["labels"]
                        for picture in label["pictures"]]
            test_what_it_is(both)
            test_labels(both)
            test_shelves(both)
            test_searches(both, pictures)
            test_pictures(both, pictures)
            test_errors_leave_them_ready(both)
            test_what_takes_one_process_is_refused(both)
            test_clients_at_once(both)
            assert f"{PROCESSES} processes answer together" in together.stderr(), together.stderr()
            test_all_end(together, lambda _: together.process.send_signal(signal.SIGTERM))
        ends = [lambda processes, how=how, which=which: os.kill(processes[which], how)
                for how, which in ((signal.SIGKILL, -1), (signal.SIGTERM, -1), (signal.SIGTERM, 0))]
        for end in (*ends, lambda _: together.process.kill()):
            with serving.Server(*parts, before=[mpirun, "-n", str(PROCESSES)]) as together:
                test_all_end(together, end)
    print("the same by one process and by several")


if __name__ == "__main__":
    main()
