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
SKIPPED = 9
LABELS = {"labels": [{"name": "Doom"}, {"name": "Animal Crossing"}]}


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
        got_here = plain(got).replace(self.together.host.encode(), self.alone.host.encode())
        assert got_here == plain(wanted), (path, body, wanted.body[:1500], got.body[:1500])
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


def test_figures(both):
    stats = both.ask("GET", "/v1/stats").json()
    assert stats["parts"] == PARTS and sum(stats["skip_reasons"].values()) == SKIPPED, stats


def test_skips(both):
    everything = both.ask("GET", "/v1/skips").json()
    assert everything["count"] == SKIPPED and len(everything["reasons"]) == 2, everything
    for offset in range(SKIPPED + 2):
        for limit in (0, 1, 3, 1000):
            both.ask("GET", f"/v1/skips?offset={offset}&limit={limit}")
            both.ask("GET", f"/v1/skips?offset={offset}&limit={limit}&reason={everything['reasons'][0]['reason']}")
    both.ask("GET", f"/v1/skips?offset={2**64 - 1}")
    both.ask("GET", "/v1/skips?reason=nonsense")
    both.ask("GET", "/v1/skips?limit=x", status=400)


def test_judging_queue(both):
    for more in ({}, {"by": "disagreement"}, {"k": 0}, {"k": 1000}, {"k": 3, "threshold": 0.9}, {"known": True, "k": 7}):
        both.ask("POST", "/v1/review", {**LABELS, **more})
    both.ask("POST", "/v1/review", {**LABELS, "multi": True}, status=400)


def test_answers_as_lines(both):
    for more in ({}, {"format": "csv"}, {"multi": True, "threshold": 0.3}, {"none": True, "threshold": 0.6, "fusion": "max"}):
        answer = both.ask("POST", "/v1/classify/answers", {**LABELS, **more})
        assert len(answer.body.splitlines()) >= 41, answer.body
    both.ask("POST", "/v1/classify/answers", {**LABELS, "format": "xml"}, status=400)


def test_clip_retrieval(both, pictures):
    name = both.ask("GET", "/indices-list").json()[0]
    term = {"text": "a red demon", "indice_name": name}
    for more in ({}, {"modality": "text"}, {"deduplicate": False, "num_images": 60}, {"num_result_ids": "7", "num_images": 3},
                 {"num_images": 0}):
        both.ask("POST", "/knn-service", {**term, **more})
    both.ask("POST", "/knn-service", {"embedding_input": [0.5] + [0.0] * 255})
    rows = [picture["row"] for picture in pictures]
    both.ask("POST", "/metadata", {"ids": rows + rows[:3]})
    for path, body, status in (("/metadata", {"ids": [rows[0], 10**9]}, 404), ("/metadata", {"ids": ["x"]}, 400),
                               ("/knn-service", {}, 400), ("/knn-service", {"text": "x", "indice_name": "other"}, 404)):
        both.ask("POST", path, body, status)


def test_judging(both, pictures):
    both.ask("POST", "/v1/evaluate", LABELS, status=400)  # nothing is known
    said = [{"row": one["row"], "sha256": one["sha256"], "label": "Doom" if place % 3 else "Animal Crossing"}
            for place, one in enumerate(pictures[:20])]
    said += [{"sha256": pictures[20]["sha256"], "label": "Doom"}, {"row": pictures[21]["row"], "label": "food"}]
    contents = len({one["sha256"] for one in pictures[:22]})
    answer = both.together.ask("PUT", "/v1/truth", {"pictures": said})
    assert answer.status == 200 and answer.json()["count"] == contents, answer.body
    truth = both.ask("GET", "/v1/truth").json()
    assert truth["count"] == contents and all(one["row"] is not None for one in truth["pictures"]), truth
    both.ask("GET", "/v1/truth?offset=3&limit=4")
    both.ask("GET", "/v1/truth.csv")
    for more in ({}, {"fusion": "max"}, {"none": True, "threshold": 0.5}):
        evaluation = both.ask("POST", "/v1/evaluate", {**LABELS, **more}).json()
        assert evaluation["other_labels"] == 1, evaluation
    both.ask("POST", "/v1/evaluate", {"labels": ["house", "tree"]}, status=400)  # none of those known
    both.ask("POST", "/v1/review", {**LABELS, "k": 1000})
    both.ask("POST", "/v1/classify", LABELS)  # tells what is known
    # One is taken back, also by its content alone; one that nobody has is refused, and nothing is changed.
    back = {"pictures": [{"row": said[0]["row"], "label": None}, {"sha256": said[1]["sha256"], "label": None}]}
    assert both.together.ask("PUT", "/v1/truth", back).json() == {"changed": 2, "count": contents - 2}
    for wrong in ({"row": 10**9, "label": "x"}, {"sha256": "0" * 64, "label": "x"}):
        assert both.together.ask("PUT", "/v1/truth", {"pictures": [said[0], wrong]}).status == 404
    assert both.together.ask("PUT", "/v1/truth", {"pictures": [{"row": 0, "label": " "}]}).status == 400
    assert both.ask("GET", "/v1/truth").json()["count"] == contents - 2
    # As a table.
    table = both.together.ask("GET", "/v1/truth.csv").body
    assert both.together.ask("DELETE", "/v1/truth").status == 204
    csv = {"Content-Type": "text/csv"}
    read = both.together.ask("PUT", "/v1/truth.csv", table + b"/nowhere/x.jpg,Doom,\r\n", csv).json()
    assert read == {"read": contents - 2, "not_in_collection": 1, "unlabelled": 0, "count": contents - 2}, read
    assert both.together.ask("PUT", "/v1/truth.csv", b"path,label\n/nowhere/x.jpg,Doom\n", csv).status == 400
    assert both.ask("GET", "/v1/truth").json()["count"] == contents - 2
    both.together.ask("DELETE", "/v1/truth")
    both.ask("GET", "/v1/truth")


def test_what_takes_one_process_is_refused(both):
    both.refused("GET", "/v1/duplicates")
    both.refused("PUT", "/v1/runs/monday", LABELS)
    both.refused("POST", "/v1/train", LABELS)
    for path in ("/v1/runs", "/healthz", "/metrics", "/"):
        assert both.together.ask("GET", path).status == 200, path


def test_what_it_is(both):
    alone, together = (server.ask("GET", "/v1/collection").json() for server in (both.alone, both.together))
    assert alone["read_only"] and not together["read_only"]
    assert "GET /v1/duplicates" in together["unanswered"] and "GET /v1/stats" not in together["unanswered"]
    assert not alone["unanswered"]
    for one in (alone, together):
        del one["read_only"], one["unanswered"]
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
    os.environ.update(serving.LAUNCHER)
    with tempfile.TemporaryDirectory(prefix="zeroshelf-together-") as folder:
        folder = pathlib.Path(folder)
        serving.draw(folder / "pictures", 40)
        shutil.copy(next((folder / "pictures").glob("*/*.jpg")), folder / "pictures" / "copy.jpg")
        for number in range(SKIPPED - 1):
            (folder / "pictures" / f"no-picture-{number}.jpg").write_text("not a picture")
        (folder / "pictures" / "empty.png").write_bytes(b"")
        for number in range(PARTS):
            serving.run(serving.INDEX, "add", folder / f"part{number}", folder / "pictures", "--shard", f"{number}/{PARTS}",
                        "--threads", "2", ok=(0, 3))
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
            test_figures(both)
            test_skips(both)
            test_judging_queue(both)
            test_answers_as_lines(both)
            test_clip_retrieval(both, pictures)
            test_judging(both, pictures)
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
