"""The server as its clients see it: every endpoint against openapi.json, what must be refused, and what must not be
possible. Usage: serve_test.py (the programs' places are in the environment, see CMakeLists.txt)."""

import base64
import csv
import fcntl
import io
import json
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import schema  # noqa: E402
import serving  # noqa: E402

LABELS = [{"name": "Doom", "prompts": ["a meme about Doom"]}, {"name": "Animal Crossing"}]
LABELLING = {"labels": LABELS}


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        cls.shelf = serving.make_collection(cls.folder)
        cls.server = serving.Server(cls.shelf, folder=cls.folder)
        cls.schemas = schema.Schemas(cls.server.ask("GET", "/openapi.json").json())
        cls.asked = set()

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        shutil.rmtree(cls.folder)
        assert code == 0, code

    def ask(self, method, template, body=None, status=200, query="", **variables):
        """Asks, and holds request and answer against the document."""
        path = template
        for name, value in variables.items():
            path = path.replace("{%s}" % name, urllib.parse.quote(str(value), safe=""))
        operation = self.schemas.document["paths"][template][method.lower()]
        if isinstance(body, dict) and status < 400:
            wanted = operation["requestBody"]["content"]["application/json"]["schema"]
            self.assertEqual(list(self.schemas.faults(body, wanted)), [], (method, path))
        answer = self.server.ask(method, path + query, body)
        self.assertEqual(answer.status, status, (method, path, answer.body[:500]))
        content = self.schemas.answer_schema(method, template, answer.status)
        media = answer.headers.get("content-type", "").split(";")[0]
        if content:
            self.assertTrue(media in content or "image/*" in content and media.startswith("image/"), (media, content))
        if media == "application/json" and answer.body:
            self.assertEqual(list(self.schemas.faults(answer.json(), content[media]["schema"])), [], (method, path))
        self.asked.add((method, template))
        return answer

    def classify(self, **members):
        return self.ask("POST", "/v1/classify", {**LABELLING, **members}).json()

    def rows(self):
        return [json.loads(line)["row"] for line in
                self.server.ask("POST", "/v1/classify/answers", LABELLING).body.splitlines()]


class Endpoints(Case):
    def test_first_line_names_the_address(self):
        self.assertEqual(self.server.first_line["type"], "listening")
        self.assertRegex(self.server.url, r"^http://127\.0\.0\.1:[0-9]+/$")

    def test_collection_says_what_can_be_asked(self):
        told = self.ask("GET", "/v1/collection").json()
        self.assertEqual((told["pictures"], told["skips"], told["dimension"]), (60, 1, told["dimension"]))
        self.assertIn("mix", [rule["name"] for rule in told["fusion"]])
        stats = self.ask("GET", "/v1/stats").json()
        self.assertEqual(stats["skip_reasons"], {"not_a_picture": 1})
        command = json.loads(serving.run(serving.INDEX, "stats", self.shelf, "--json").stdout)
        self.assertEqual({"type": "stats", **stats, "disk_bytes": 0}, {**command, "disk_bytes": 0})
        skips = self.ask("GET", "/v1/skips").json()
        self.assertEqual([skip["reason"] for skip in skips["skips"]], ["not_a_picture"])
        self.assertEqual(self.ask("GET", "/v1/skips", query="?reason=damaged").json()["count"], 0)
        self.assertTrue(self.ask("GET", "/healthz").json()["ok"])

    def test_classify_counts_what_the_command_counts(self):
        told = self.classify(per_label=7, bins=10)
        lines = serving.run(serving.QUERY, "classify", self.shelf, "--labels-file", self.labels_file(), "--summary",
                            "--format", "jsonl").stdout.splitlines()
        counts = {line["label"]: line["pictures"] for line in map(json.loads, lines) if line["type"] == "count"}
        self.assertEqual({label["name"]: label["count"] for label in told["labels"]},
                         {name: count for name, count in counts.items() if name is not None})
        self.assertEqual(sum(label["count"] for label in told["labels"]) + told["unsure"], 60)
        for label in told["labels"]:
            self.assertEqual(sum(label["histogram"]), label["count"])
            self.assertEqual(len(label["pictures"]), min(7, label["count"]))
            scores = [picture["score"] for picture in label["pictures"]]
            self.assertEqual(scores, sorted(scores, reverse=True))
            self.assertTrue(all(picture["label"] == label["name"] for picture in label["pictures"]))

    def labels_file(self):
        file = self.folder / "labels.json"
        file.write_text(json.dumps([{"label": label["name"], "prompts": label.get("prompts", [])} for label in LABELS]))
        return file

    def test_answers_are_those_of_the_command(self):
        streamed = self.ask("POST", "/v1/classify/answers", LABELLING).body.decode().splitlines()
        command = serving.run(serving.QUERY, "classify", self.shelf, "--labels-file", self.labels_file(), "--format",
                              "jsonl").stdout.splitlines()
        self.assertEqual(len(streamed), 60)
        wanted = self.schemas.document["components"]["schemas"]["Answer"]
        for ours, theirs in zip(map(json.loads, streamed), map(json.loads, command)):
            self.assertEqual(list(self.schemas.faults(ours, wanted)), [])
            theirs.pop("type")
            self.assertEqual({name: ours[name] for name in theirs}, theirs)
        table = self.ask("POST", "/v1/classify/answers", {**LABELLING, "format": "csv"}).body.decode()
        self.assertEqual(table, serving.run(serving.QUERY, "classify", self.shelf, "--labels-file", self.labels_file(),
                                            "--format", "csv").stdout.replace("\n", "\r\n").replace("\r\r", "\r"))

    def test_vetoes_pictures_and_levels(self):
        first, second = self.rows()[:2]
        labels = [{"name": "game/Doom", "prompts": ["a meme about Doom", "- a meme about Animal Crossing"]},
                  {"name": "game/Animal Crossing", "prompts": [{"row": first}, {"row": second, "veto": True}]}]
        told = self.classify(labels=labels, per_label=60)
        self.assertEqual([label["name"] for label in told["labels"]], ["game/Doom", "game/Animal Crossing", "game"])
        self.assertEqual(sum(label["count"] for label in told["labels"]) + told["unsure"], 60)
        vetoes = [picture["veto"] for label in told["labels"] for picture in label["pictures"] if "veto" in picture]
        self.assertTrue(vetoes)
        for veto in vetoes:
            self.assertEqual(veto["taken"], veto["score"] > 0.5)
            self.assertFalse(veto["prompt"].startswith("- "))
        row = self.ask("POST", "/v1/pictures/{row}/evidence", {"labels": labels}, row=second).json()
        self.assertEqual({one["label"] for one in row["scores"]}, {"game/Doom", "game/Animal Crossing", "game"})
        flat = self.classify(labels=labels, flat=True)
        self.assertEqual(len(flat["labels"]), 2)
        top = self.classify(labels=labels, depth=1)
        self.assertEqual([label["count"] for label in top["labels"]][:2], [0, 0])
        # Another threshold is another depth.
        sure = self.classify(labels=labels, threshold=0.999)
        self.assertEqual(sum(label["count"] for label in sure["labels"]) + sure["unsure"], 60)

    def test_no_path_of_a_request_is_read(self):
        file = self.folder / "labels.txt"
        file.write_text("secret")
        for prompt in ("@/etc/passwd", "@" + str(file), "- @/etc/passwd", "@#1", "@"):
            answer = self.server.ask("POST", "/v1/classify", {"labels": [{"name": "a", "prompts": [prompt]}]})
            self.assertEqual(answer.status, 400, (prompt, answer.body))
        for members in ({"labels": ["passwd"], "template": "@/etc/{}"}, {"labels": ["a"], "none": ["@/etc/passwd"]}):
            answer = self.server.ask("POST", "/v1/classify", members)
            self.assertEqual(answer.status, 400, (members, answer.body))
        answer = self.server.ask("POST", "/v1/classify", {"labels": [{"name": "a", "prompts": [{"row": 10**6}]}]})
        self.assertEqual(answer.status, 404, answer.body)

    def test_a_shelf_page_by_page_is_the_whole_shelf_once(self):
        for sort in ("score", "margin", "disagreement"):
            for threshold in (None, 0.8):
                told = self.classify(per_label=1000, sort=sort, threshold=threshold)
                shelves = [(label["name"], label["pictures"]) for label in told["labels"]]
                for name, pictures in shelves + [(None, told["unsure_pictures"])]:
                    paged = []
                    while True:
                        page = self.ask("POST", "/v1/classify/pictures", {
                            **LABELLING, "label": name, "sort": sort, "threshold": threshold, "offset": len(paged),
                            "limit": 7}).json()
                        paged += page["pictures"]
                        if not page["pictures"]:
                            break
                    self.assertEqual(page["count"], len(paged))
                    self.assertEqual(paged, pictures, (sort, threshold, name))

    def test_the_threshold_moves_pictures_to_unsure_and_back(self):
        all_of_them = self.classify(per_label=1000)
        for threshold in (0.55, 0.9, 1.0):
            told = self.classify(per_label=1000, threshold=threshold)
            for before, now in zip(all_of_them["labels"], told["labels"]):
                self.assertEqual(now["count"], sum(it["score"] >= threshold for it in before["pictures"]))
                self.assertEqual(now["histogram"], before["histogram"])
            self.assertTrue(all(it["label"] is None for it in told["unsure_pictures"]))
            self.assertEqual(told["unsure"], 60 - sum(label["count"] for label in told["labels"]))
        with_none = self.classify(per_label=1000, threshold=0.9, none=True)
        self.assertEqual(with_none["none"], "none")
        self.assertEqual(with_none["unsure"], 0)
        self.assertEqual(sum(label["count"] for label in with_none["labels"]), 60)

    def test_multi_puts_a_picture_on_several_shelves(self):
        told = self.classify(multi=True, threshold=0.2, per_label=1000)
        for label in told["labels"]:
            for picture in label["pictures"]:
                self.assertIn(label["name"], [one["label"] for one in picture["labels"]])
        page = self.ask("POST", "/v1/classify/pictures",
                        {**LABELLING, "multi": True, "threshold": 0.2, "label": "Doom"}).json()
        self.assertEqual(page["count"], told["labels"][0]["count"])
        self.assertAlmostEqual(told["threshold"], 0.2)
        self.assertAlmostEqual(self.classify(multi=True)["threshold"], 0.1)
        self.ask("POST", "/v1/classify", {**LABELLING, "multi": True, "sort": "margin"}, status=400)
        answers = [json.loads(line) for line in self.ask("POST", "/v1/classify/answers", {
            **LABELLING, "multi": True, "threshold": 0.2}).body.splitlines()]
        command = serving.run(serving.QUERY, "classify", self.shelf, "--labels-file", self.labels_file(), "--multi",
                              "--threshold", "0.2", "--format", "jsonl").stdout.splitlines()
        for ours, theirs in zip(answers, map(json.loads, command), strict=True):
            theirs.pop("type")
            self.assertEqual({name: ours[name] for name in theirs}, theirs)

    def test_the_same_words_without_a_model_give_the_same(self):
        self.assertEqual(self.classify()["labels"], self.classify()["labels"])

    def test_evidence_agrees_with_the_answer(self):
        row = self.rows()[3]
        told = self.ask("POST", "/v1/pictures/{row}/evidence", LABELLING, row=row).json()
        self.assertEqual(told["answer"]["row"], row)
        self.assertEqual(told["scores"][0]["label"], told["answer"]["label"])
        self.assertEqual(told["scores"][0]["score"], told["answer"]["score"])
        self.assertEqual(told["picture"]["sha256"], told["answer"]["sha256"])

    def test_pictures_by_row_and_by_content(self):
        told = self.ask("GET", "/v1/pictures/{row}", row=2).json()
        content = told["sha256"]
        elsewhere = self.ask("GET", "/v1/pictures/{row}", row=999, query=f"?sha256={content}").json()
        self.assertEqual(elsewhere, told)
        self.ask("GET", "/v1/pictures/{row}", row=999, status=404)
        self.ask("GET", "/v1/pictures/{row}", row="2x", status=404)
        self.ask("GET", "/v1/pictures/{row}", row=2, query="?sha256=" + "0" * 64, status=404)
        self.ask("GET", "/v1/pictures/{row}", row=2, query="?sha256=ab", status=400)
        file = self.ask("GET", "/v1/pictures/{row}/file", row=2)
        self.assertEqual(file.body, pathlib.Path(told["path"]).read_bytes())
        for size in (1, 160, 500, 2048):
            small = self.ask("GET", "/v1/pictures/{row}/thumbnail", row=2, query=f"?size={size}&sha256={content}")
            self.assertTrue(small.body.startswith(b"\xff\xd8\xff"))
            self.assertIn("immutable", small.headers["cache-control"])
        again = self.ask("GET", "/v1/pictures/{row}/thumbnail", row=2, query=f"?size=160&sha256={content}")
        self.assertTrue(any((self.folder / "cache").rglob(content + ".jpg")))
        self.assertTrue(again.body)
        self.ask("GET", "/v1/pictures/{row}/thumbnail", row=2, query="?size=9999", status=400)

    def test_a_file_that_changed_is_not_served(self):
        picture = self.ask("GET", "/v1/pictures/{row}", row=5).json()
        path = pathlib.Path(picture["path"])
        aside = path.rename(self.folder / "aside")
        try:
            path.write_bytes(aside.read_bytes() + b"x")
            self.ask("GET", "/v1/pictures/{row}/file", row=5, status=404)
            path.unlink()
            self.ask("GET", "/v1/pictures/{row}/file", row=5, status=404)
            path.symlink_to("/etc/hostname")
            self.ask("GET", "/v1/pictures/{row}/file", row=5, status=404)
        finally:
            path.unlink(missing_ok=True)
            aside.rename(path)
        self.ask("GET", "/v1/pictures/{row}/file", row=5)

    def test_search_finds_what_the_command_finds(self):
        found = self.ask("POST", "/v1/search", {"text": "skull and fire", "k": 5, "all": True}).json()["hits"]
        command = serving.run(serving.QUERY, "search", self.shelf, "skull and fire", "-k", "5", "--all", "--format",
                              "jsonl").stdout.splitlines()
        self.assertEqual([hit["path"] for hit in found], [json.loads(line)["path"] for line in command])
        for ours, theirs in zip(found, map(json.loads, command)):
            theirs.pop("type")
            self.assertEqual({name: ours[name] for name in theirs}, theirs)

    def test_weak_matches_come_behind_what_is_found_without_them(self):
        for more in ({}, {"group": True}, {"in": "text"}):
            good = self.ask("POST", "/v1/search", {"text": "skull and fire", "k": 60, **more}).json()
            found = self.ask("POST", "/v1/search", {"text": "skull and fire", "k": 60, "all": True, **more}).json()
            self.assertEqual((good["cut"], found["cut"]), (True, False))
            self.assertEqual({hit["fits"] for hit in good["hits"]}, {True})
            count = len(good["hits"])
            self.assertEqual([hit["row"] for hit in found["hits"][:count]], [hit["row"] for hit in good["hits"]])
            self.assertEqual({hit["fits"] for hit in found["hits"][count:]}, {False})
        like = self.ask("POST", "/v1/search", {"row": self.rows()[0], "k": 3}).json()["hits"]
        self.assertEqual([hit["fits"] for hit in like], [None] * 3)

    def test_search_by_everything(self):
        row = self.rows()[0]
        picture = self.ask("GET", "/v1/pictures/{row}", row=row).json()
        data = base64.b64encode(pathlib.Path(picture["path"]).read_bytes()).decode()
        self.assertEqual(self.ask("POST", "/v1/search", {"image": data, "k": 1}).json()["hits"][0]["row"], row)
        like = self.ask("POST", "/v1/search", {"row": row, "k": 3}).json()["hits"]
        self.assertNotIn(row, [hit["row"] for hit in like])
        by_content = self.ask("POST", "/v1/search", {"sha256": picture["sha256"], "k": 3}).json()["hits"]
        self.assertEqual(like, by_content)
        dimension = self.ask("GET", "/v1/collection").json()["dimension"]
        self.ask("POST", "/v1/search", {"vector": [1.0] + [0.0] * (dimension - 1)})
        self.ask("POST", "/v1/search", {"vector": [0.0] * dimension}, status=400)
        self.ask("POST", "/v1/search", {"vector": [1.0]}, status=400)
        self.ask("POST", "/v1/search", {"image": base64.b64encode(b"no picture").decode()}, status=400)
        self.ask("POST", "/v1/search", {"image": "!"}, status=400)
        self.ask("POST", "/v1/search", {"row": 10**9}, status=404)
        self.ask("POST", "/v1/search", {}, status=400)
        self.ask("POST", "/v1/search", {"text": "bells", "plus": ["a house"], "group": True, "all": True,
                                        "minus": [{"row": row, "weight": 0.5}], "in": "both", "k": 4})
        filtered = self.ask("POST", "/v1/search", {"text": "bells", "all": True, "k": 60, "filters": {
            "path": ["*.jpg"], "min_width": 1, "has_text": True, "since": "2000-01-01"}}).json()
        self.assertTrue(all(hit["text_score"] is not None for hit in filtered["hits"]))
        of_label = self.ask("POST", "/v1/search", {"text": "bells", "all": True, "k": 60, "filters": {
            "labelling": LABELLING, "label": ["Doom"]}}).json()
        self.assertEqual(of_label["candidates"], self.classify()["labels"][0]["count"])
        self.ask("POST", "/v1/search", {"text": "bells", "filters": {"label": ["Doom"]}}, status=400)

    def test_judging_leads_to_accuracy_and_a_classifier(self):
        with (self.folder / "pictures.csv").open() as drawn:
            truth = {str(self.folder / row["path"]): row["label"] for row in csv.DictReader(drawn)}
        self.ask("DELETE", "/v1/truth", status=204)
        self.ask("POST", "/v1/evaluate", LABELLING, status=400)
        queue = self.ask("POST", "/v1/review", {**LABELLING, "k": 30}).json()["pictures"]
        margins = [picture["margin"] for picture in queue]
        self.assertEqual(margins, sorted(margins))
        for place, picture in enumerate(queue):
            label = truth[picture["path"]]
            said = self.ask("PUT", "/v1/truth", {"pictures": [
                {"row": picture["row"], "sha256": picture["sha256"], "label": label}]}).json()
            self.assertEqual((said["changed"], said["count"]), (1, place + 1))
        self.assertEqual(self.ask("PUT", "/v1/truth", {"pictures": [
            {"row": queue[0]["row"], "label": None}]}).json(), {"changed": 1, "count": 29})
        left = self.ask("POST", "/v1/review", {**LABELLING, "k": 1000}).json()["pictures"]
        self.assertEqual(len(left), 31)
        self.ask("POST", "/v1/review", {**LABELLING, "by": "disagreement", "known": True})
        told = self.ask("GET", "/v1/truth", query="?limit=5").json()
        self.assertEqual((told["count"], len(told["pictures"])), (29, 5))
        table = self.ask("GET", "/v1/truth.csv").body.decode()
        self.assertEqual(len(list(csv.DictReader(io.StringIO(table)))), 29)
        (self.folder / "truth.csv").write_text(table)
        evaluated = self.ask("POST", "/v1/evaluate", LABELLING).json()
        self.assertEqual(evaluated["pictures"], 29)
        self.assertEqual(evaluated["ways"][0]["name"], "asked")
        self.assertEqual(evaluated["warnings"], [])
        swapped = [{**LABELS[0], "name": LABELS[1]["name"]}, {"name": LABELS[0]["name"], "prompts": [LABELS[1]["name"]]}]
        wrong = self.ask("POST", "/v1/evaluate", {"labels": swapped}).json()
        self.assertIn("guessing among 2 labels", wrong["warnings"][0])
        command = serving.run(serving.QUERY, "evaluate", self.shelf, "--labels", "Doom, Animal Crossing", "--truth",
                              self.folder / "truth.csv", "--format", "jsonl")
        self.assertTrue(command.stdout)
        self.ask("POST", "/v1/calibrate", {**LABELLING, "save": "mine"})
        trained = self.ask("POST", "/v1/train", {**LABELLING, "save": "pets"}).json()
        self.assertEqual(trained["kept"], "pets")
        self.assertEqual(trained["ways"][-1]["name"], "learned")
        learned = self.ask("POST", "/v1/classify", {"classifier": "pets"}).json()
        self.assertEqual({label["name"] for label in learned["labels"]}, {"Doom", "Animal Crossing"})
        self.ask("POST", "/v1/evaluate", {"classifier": "pets"})
        # Trained anew under the same name, the answers are the new ones.
        for picture in queue[1:]:
            self.ask("PUT", "/v1/truth", {"pictures": [{"row": picture["row"], "label": "Doom" if
                                                        picture["row"] % 3 else "Animal Crossing"}]})
        self.ask("POST", "/v1/train", {"save": "pets"})
        again = self.ask("POST", "/v1/classify", {"classifier": "pets"}).json()
        self.assertNotEqual([label["pictures"] for label in again["labels"]],
                            [label["pictures"] for label in learned["labels"]])
        kept = self.ask("GET", "/v1/runs").json()
        self.assertEqual([one["name"] for one in kept["classifiers"]], ["pets"])
        self.ask("DELETE", "/v1/classifiers/{name}", status=204, name="pets")
        self.ask("DELETE", "/v1/classifiers/{name}", status=404, name="pets")
        self.ask("DELETE", "/v1/calibrations/{name}", status=404, name="none")
        self.ask("DELETE", "/v1/truth", status=204)
        answer = self.server.ask("PUT", "/v1/truth.csv", table, {"Content-Type": "text/csv"})
        self.assertEqual(answer.json()["read"], 29)
        relative = "path,label\r\npictures/a.jpg,Doom\r\nb.jpg,Doom\r\n"
        refused = self.server.ask("PUT", "/v1/truth.csv", relative, {"Content-Type": "text/csv"})
        self.assertEqual(refused.status, 400)
        error = refused.json()["error"]
        self.assertIn("none of 2 paths is in the collection; first looked for: /b.jpg", error["cause"])
        self.assertIn("absolute", error["cure"])
        self.assertEqual(self.ask("GET", "/v1/truth").json()["count"], 29)
        nothing = self.server.ask("PUT", "/v1/truth.csv", "path,label\r\n", {"Content-Type": "text/csv"})
        self.assertEqual((nothing.status, nothing.json()["read"]), (200, 0))
        self.asked.add(("PUT", "/v1/truth.csv"))
        self.ask("DELETE", "/v1/truth", status=204)

    def test_truth_outlives_the_server_and_the_row(self):
        self.ask("PUT", "/v1/truth", {"pictures": [{"row": 1, "label": "kept"}]})
        with serving.Server(self.shelf) as other:
            self.assertEqual(other.ask("GET", "/v1/truth").json()["pictures"][0]["label"], "kept")
            self.assertEqual(other.ask("GET", "/v1/pictures/1").json()["truth"], "kept")
        self.ask("DELETE", "/v1/truth", status=204)

    def test_truth_is_one_for_all_servers(self):
        with serving.Server(self.shelf) as other:
            self.assertEqual(other.ask("GET", "/v1/truth").json()["count"], 0)
            for row in range(3):
                self.ask("PUT", "/v1/truth", {"pictures": [{"row": row, "label": f"here {row}"}]})
                self.assertEqual(other.ask("GET", "/v1/truth").json()["count"], row + 1)
                self.assertEqual(other.ask("GET", f"/v1/pictures/{row}").json()["truth"], f"here {row}")
                self.assertEqual(other.ask("GET", "/v1/collection").json()["truths"], row + 1)
            other.ask("DELETE", "/v1/truth")
            self.assertEqual(self.ask("GET", "/v1/truth").json()["count"], 0)
            self.assertIn("no picture of the collection was judged",
                          self.ask("POST", "/v1/train", {}, status=400).json()["error"]["cause"])

    def test_runs_are_kept_compared_and_removed(self):
        first = self.ask("PUT", "/v1/runs/{name}", LABELLING, name="first").json()
        self.assertEqual(first["pictures"], 60)
        self.ask("PUT", "/v1/runs/{name}", LABELLING, status=409, name="first")
        self.ask("PUT", "/v1/runs/{name}", {**LABELLING, "replace": True}, name="first")
        self.ask("PUT", "/v1/runs/{name}", {**LABELLING, "fusion": "text"}, name="second")
        self.ask("GET", "/v1/runs/{name}", name="first")
        diff = self.ask("POST", "/v1/diff", {"before": "first", "after": "second"}).json()
        self.assertEqual(diff["same"] + diff["moved"], 60)
        self.assertEqual(diff["count"], diff["moved"])
        now = self.ask("POST", "/v1/diff", {"before": "first", "after": LABELLING}).json()
        self.assertEqual((now["same"], now["moved"]), (60, 0))
        part = self.ask("POST", "/v1/diff", {"before": "first", "after": "second", "from": "Doom", "to": None}).json()
        self.assertTrue(all(it["from"] == "Doom" and it["to"] is None for it in part["pictures"]))
        for member in ("from", "to"):
            unknown = self.ask("POST", "/v1/diff", {"before": "first", "after": "second", member: "Domm"}, status=400).json()
            self.assertEqual(unknown["error"]["subject"], member, unknown)
        self.ask("POST", "/v1/diff", {"before": "first", "after": "none"}, status=404)
        of_run = self.ask("POST", "/v1/search", {"text": "bells", "all": True, "k": 60, "filters": {
            "run": "first", "label": ["Doom"]}}).json()
        self.assertEqual(of_run["candidates"], first["labels"][0]["count"])
        for name in ("first", "second"):
            self.ask("DELETE", "/v1/runs/{name}", status=204, name=name)
        self.ask("GET", "/v1/runs/{name}", status=404, name="first")

    def wait_for(self, job):
        self.server.wait_until(lambda: self.ask("GET", "/v1/jobs/{id}", id=job["id"]).json()["state"] != "running")
        return self.ask("GET", "/v1/jobs/{id}", id=job["id"]).json()

    def test_export_is_shown_made_and_undone(self):
        asked = {**LABELLING, "name": "sorted", "mode": "move"}
        def files():
            return {path: path.read_bytes() for path in (self.folder / "pictures").rglob("*.jpg")}
        before = files()
        preview = self.ask("POST", "/v1/export/preview", asked).json()
        self.assertEqual((preview["exported"], preview["problem"], preview["undo"]), (60, None, True))
        self.assertFalse((self.folder / "exports" / "sorted").exists())
        done = self.wait_for(self.ask("POST", "/v1/export", asked, status=202).json())
        self.assertEqual((done["state"], done["exported"], done["undo"]), ("done", 60, True), done)
        self.assertEqual(len(list((self.folder / "exports" / "sorted").rglob("*.jpg"))), 60)
        self.assertIsNotNone(self.ask("POST", "/v1/export/preview", asked).json()["problem"])
        self.ask("POST", "/v1/export", asked, status=400)
        (self.folder / "exports" / "sorted").rename(self.folder / "exports" / "renamed")
        back = self.wait_for(self.ask("POST", "/v1/undo", {"name": "renamed"}, status=202).json())
        self.assertEqual((back["state"], back["exported"]), ("done", 60), back)
        self.assertEqual(files(), before)
        known = {json.loads(line)["path"] for line in
                 self.server.ask("POST", "/v1/classify/answers", LABELLING).body.splitlines()}
        self.assertEqual(known, {str(path) for path in before if path.name != "no-picture.jpg"})
        self.ask("POST", "/v1/undo", {"name": "sorted"}, status=404)
        for kind in ("csv", "jsonl", "html", "coco", "labelstudio", "fiftyone", "imagefolder"):
            self.ask("POST", "/v1/export/preview", {**LABELLING, "name": kind, "format": kind})
            done = self.wait_for(self.ask("POST", "/v1/export", {**LABELLING, "name": kind, "format": kind},
                                          status=202).json())
            self.assertEqual(done["state"], "done", done)
        self.assertTrue((self.folder / "exports" / "csv.csv").exists())
        self.ask("GET", "/v1/jobs")
        self.ask("DELETE", "/v1/jobs/{id}", id=done["id"])
        self.ask("GET", "/v1/jobs/{id}", id="x", status=404)
        for name in ("../out", "a/b", ".hidden", "", "x" * 200):
            self.ask("POST", "/v1/export", {**LABELLING, "name": name}, status=400)
        unknown = self.ask("POST", "/v1/export", {**LABELLING, "name": "some", "only": ["nobody"]}, status=400).json()
        self.assertEqual(unknown["error"]["subject"], "only", unknown)
        self.ask("DELETE", "/v1/truth", status=204)
        unjudged = self.ask("POST", "/v1/export", {**LABELLING, "name": "some", "at_most_wrong": 0.05}, status=400).json()
        self.assertEqual(unjudged["error"]["subject"], "the truth", unjudged)
        nothing = self.wait_for(self.ask("POST", "/v1/export", {**LABELLING, "name": "none", "fusion": "max", "min_score": 1.0,
                                                                "threshold": 1.0}, status=202).json())
        self.assertEqual((nothing["state"], nothing["exported"]), ("done", 0), nothing)
        self.assertFalse((self.folder / "exports" / "none").exists())
        shutil.rmtree(self.folder / "exports")

    def test_duplicates(self):
        told = self.ask("GET", "/v1/duplicates").json()
        self.assertEqual(sum(told["kinds"].values()), told["count"])
        self.ask("GET", "/v1/duplicates", query="?kind=same_picture&cosine=0.9&same_words=0.5&limit=1")
        self.ask("GET", "/v1/duplicates", query="?kind=other", status=400)
        self.ask("GET", "/v1/duplicates", query="?cosine=nan", status=400)

    def test_a_member_that_a_request_needs_is_named_where_it_is_missing(self):
        def missing(method, template, body, *names):
            told = self.ask(method, template, body, status=400, name="a", row=1).json()["error"]
            self.assertIn(told["subject"], names, (method, template, body, told))
            return told
        for template, methods in self.schemas.document["paths"].items():
            for method in ("post", "put"):
                content = methods.get(method, {}).get("requestBody", {}).get("content", {}).get("application/json")
                needed = self.schemas.resolved(content["schema"]).get("required") if content else None
                if not needed:
                    continue
                missing(method.upper(), template, {}, *needed, "labels")
                missing(method.upper(), template, dict.fromkeys(needed), *needed, "labels")
        for method, template, member in (("POST", "/v1/export", "name"), ("POST", "/v1/export/preview", "name"),
                                         ("POST", "/v1/classify/pictures", "label")):
            self.assertEqual(missing(method, template, LABELLING, member)["cause"], "it is missing")
        for picture, member in (({"label": "cat"}, "row"), ({"row": 1}, "label")):
            told = missing("PUT", "/v1/truth", {"pictures": [picture]}, f"pictures[0].{member}")
            self.assertEqual(told["cause"], "it is missing")
        for text in ("- ", "?!"):
            self.ask("POST", "/v1/search", {"text": text}, status=400)
        self.assertEqual(self.ask("PUT", "/v1/truth", {"pictures": []}).json()["changed"], 0)

    def test_unknown_parameters_are_refused_with_the_known_ones(self):
        for path, query, known in (("/v1/skips", "?limits=3", "offset, limit, reason"), ("/v1/stats", "?x", "it knows none"),
                                   ("/v1/duplicates", "?limit=1&kinds=x", "same_words"), ("/v1/collection", "?a=b", "none")):
            error = self.ask("GET", path, query=query, status=400).json()["error"]
            self.assertIn(known, error["cure"], error)
        for path in ("/healthz?x=1", "/metrics?x=1", "/indices-list?x=1"):  # of programs that are not ours
            self.assertEqual(self.server.ask("GET", path).status, 200, path)
        # What the document lists is taken.
        for path, methods in self.schemas.document["paths"].items():
            for method, operation in methods.items():
                for parameter in operation.get("parameters", []) if isinstance(operation, dict) else []:
                    if parameter.get("in") != "query":
                        continue
                    asked = path.replace("{row}", "0") + f"?{parameter['name']}="
                    answer = self.server.ask(method.upper(), asked, {} if method == "post" else None)
                    self.assertNotIn(b"knows no such parameter", answer.body, asked)

    def test_metrics_are_prometheus_text(self):
        self.classify()
        text = self.ask("GET", "/metrics").body.decode()
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+0-9.e]+)$')
        self.assertIn('zeroshelf_requests_total{endpoint="/v1/classify",status="200"}', text)

    def test_clip_retrieval_clients_are_answered(self):
        # As its client sends it: JSON without a content type of JSON.
        def knn(**members):
            body = json.dumps({"text": None, "image": None, "image_url": None, "embedding_input": None,
                               "modality": "image", "num_images": 5, "num_result_ids": 8, "indice_name": None,
                               "deduplicate": True, "use_safety_model": True, "use_violence_detector": True,
                               "aesthetic_score": "9", "aesthetic_weight": 0.5, **members})
            return self.server.ask("POST", "/knn-service", body)
        results = knn(text="skull and fire").json()
        wanted = self.schemas.document["paths"]["/knn-service"]["post"]["responses"]["200"]["content"]
        self.assertEqual(list(self.schemas.faults(results, wanted["application/json"]["schema"])), [])
        self.assertEqual(len(results), 8)
        self.assertEqual([("url" in one) for one in results], [True] * 5 + [False] * 3)
        self.assertEqual([one["similarity"] for one in results],
                         sorted((one["similarity"] for one in results), reverse=True))
        self.assertEqual(knn(image_url="http://example.org/a.jpg").status, 400)
        self.assertEqual(knn().status, 400)
        self.assertEqual(knn(text="x", indice_name="other").status, 404)
        self.assertEqual(knn(text="bells", modality="text").status, 200)
        names = self.ask("GET", "/indices-list").json()
        self.assertEqual(names, ["shelf"])
        self.assertEqual(knn(text="x", indice_name=names[0], deduplicate=False).status, 200)
        told = self.server.ask("POST", "/metadata", json.dumps({"ids": [0, 1], "indice_name": None})).json()
        self.assertEqual([one["id"] for one in told], [0, 1])
        self.asked |= {("POST", "/knn-service"), ("POST", "/metadata")}

    def test_the_client_for_python(self):
        (self.folder / "zeroshelf.py").write_bytes(self.ask("GET", "/client.py").body)
        program = f"""
from zeroshelf import Zeroshelf, ZeroshelfError
shelf = Zeroshelf({self.server.url!r})
labels = ["Doom", "Animal Crossing"]
counts = {{label["name"]: label["count"] for label in shelf.classify(labels)["labels"]}}
answers = list(shelf.answers(labels))
assert len(answers) == 60 and sum(counts.values()) == 60, counts
assert len(list(shelf.shelf("Doom", labels))) == counts["Doom"]
assert shelf.search("skull and fire", all=True, k=3) and shelf.picture(0)["sha256"]
assert shelf.thumbnail(0)[:2] == bytes([255, 216])
shelf.judge(answers[0], "Doom"); assert [one["label"] for one in shelf.truth()] == ["Doom"]
shelf.judge(answers[0], None)
assert {{one["label"] for one in shelf.answers("Doom, Animal Crossing")}} == set(counts)
assert [one["name"] for one in shelf.classify("Doom")["labels"]] == ["Doom"]
for wrong in (b"Doom", 7, {{"Doom": []}}, ["Doom", 7], ["Doom", None]):
    try:
        shelf.classify(wrong)
    except TypeError as error:
        assert "labels" in str(error), error
    else:
        raise AssertionError(wrong)
shelf.keep("of-client", labels)
for same in (labels, tuple(labels), {{"labels": labels}}, {{"labels": "Doom, Animal Crossing"}}, "of-client"):
    assert shelf.diff("of-client", same)["same"] == shelf.diff(same, "of-client")["same"] == 60, same
shelf._read("DELETE", "/v1/runs/of-client")
try:
    shelf.picture(10**6)
except ZeroshelfError as error:
    assert error.code == "not_found" and error.status == 404
else:
    raise AssertionError
"""
        done = subprocess.run([sys.executable, "-c", program], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_zz_every_endpoint_was_asked(self):
        there = {(method.upper(), path) for path, methods in self.schemas.document["paths"].items()
                 for method in methods}
        self.asked.add(("GET", "/openapi.json"))
        self.assertEqual(there - self.asked, set())


class Refusals(Case):
    def test_bodies_that_make_no_sense(self):
        for body in ("", "{", "[]", "null", "1", '{"labels":', "\xff", '{"labels": 1}', '{"labels": []}',
                     '{"labels": [{}]}', '{"labels": [{"name": ""}]}', '{"labels": [{"name": 1}]}',
                     '{"labels": [{"name": "a"}, {"name": "a"}]}', '{"labels": [{"name": "a", "prompt": "b"}]}',
                     '{"labels": [{"name": "a", "prompts": [""]}]}', '{"labels": [{"name": "a"}], "fusion": "max "}',
                     '{"labels": [{"name": "a"}], "threshold": 2}', '{"labels": [{"name": "a"}], "threshold": "x"}',
                     '{"labels": [{"name": "a"}], "threshold": 1e999}', '{"labels": [{"name": "a"}], "per_label": -1}',
                     '{"labels": [{"name": "a"}], "per_label": 1.5}', '{"labels": [{"name": "a"}], "per_label": 1e9}',
                     '{"labels": [{"name": "a"}], "template": "/etc/passwd"}',
                     '{"labels": [{"name": "a"}], "template": "no place"}', '{"labels": [{"name": "a"}], "none": []}',
                     '{"labels": [{"name": "none"}], "none": true}', '{"labels": [{"name": "a"}], "lables": 1}',
                     '{"classifier": "../../etc/passwd"}', '{"classifier": "nobody"}', '{"calibration": "x/y"}',
                     '{"classifier": "a", "labels": [{"name": "a"}]}', "[" * 100000, '{"a":' * 100000,
                     json.dumps({"labels": [{"name": str(i)} for i in range(1001)]}),
                     json.dumps({"labels": [{"name": "a" * 2000}]})):
            with self.subTest(body[:60]):
                answer = self.server.ask("POST", "/v1/classify", body.encode("latin-1"),
                                         {"Content-Type": "application/json"})
                self.assertIn(answer.status, (400, 404), answer.body[:300])
                faults = list(self.schemas.faults(answer.json(), {"$ref": "#/components/schemas/Error"}))
                self.assertEqual(faults, [])

    def test_a_shelf_that_is_not_named_is_none(self):
        answer = self.server.ask("POST", "/v1/classify/pictures", LABELLING)
        self.assertEqual(answer.status, 400)
        self.assertEqual(answer.json()["error"]["subject"], "label")

    def test_bodies_that_are_too_large_or_of_another_kind(self):
        self.assertEqual(self.server.ask("POST", "/v1/classify", b" " * (5 << 20),
                                         {"Content-Type": "application/json"}).status, 413)
        for kind in (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answer = self.server.ask("POST", "/v1/classify", b"{}", {"Content-Type": kind})
            self.assertEqual(answer.status, 415, kind)
        self.assertEqual(self.server.ask("POST", "/v1/nothing", {}).status, 404)
        self.assertEqual(self.server.ask("GET", "/v1/classify").status, 405)
        self.assertEqual(self.server.ask("DELETE", "/v1/collection").status, 405)

    def test_heads_that_make_no_sense(self):
        host = f"Host: {self.server.host}\r\n"
        for text, statuses in (
                ("nonsense\r\n\r\n", {400}),
                ("GET / HTTP/3.0\r\n" + host + "\r\n", {400}),
                ("GET /\r\n\r\n", {400}),
                ("BREW / HTTP/1.1\r\n" + host + "\r\n", {400, 405}),
                ("OPTIONS / HTTP/1.1\r\n" + host + "\r\n", {405}),
                ("TRACE / HTTP/1.1\r\n" + host + "\r\n", {405}),
                ("GET /" + "a" * 5000 + " HTTP/1.1\r\n" + host + "\r\n", {414}),
                ("GET /" + "a" * 9000 + " HTTP/1.1\r\n" + host + "\r\n", {414}),
                ("GET / HTTP/1.1\r\n" + host + host + "\r\n", {400}),
                ("GET / HTTP/1.1\r\n\r\n", {403}),
                ("POST /v1/classify HTTP/1.1\r\n" + host + "\r\n", {411}),
                ("POST /v1/classify HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {411}),
                ("POST /v1/classify HTTP/1.1\r\n" + host + "Content-Length: x\r\n\r\n", {400}),
                ("POST /v1/classify HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", {400}),
                ("POST /v1/classify HTTP/1.1\r\n" + host + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", {400}),
                ("POST /v1/classify HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: "
                 "99999999999999\r\n\r\n", {413}),
                ("POST /v1/classify HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Encoding: "
                 "gzip\r\nContent-Length: 2\r\n\r\n{}", {415}),
                ("GET /v1/collection HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello", {400})):
            with self.subTest(text[:50]):
                got = self.server.raw(text)
                self.assertTrue(got.startswith(b"HTTP/1.1 "), got[:100])
                self.assertIn(int(got.split()[1]), statuses, got[:300])
        # A head without an end, and one of a megabyte: closed.
        self.assertNotIn(b" 200 ", self.server.raw("GET / HTTP/1.1\r\n" + "a: b\r\n" * 200_000))
        self.assertNotIn(b" 200 ", self.server.raw("GET / HTTP/1.1\r\nx: " + "y" * 2_000_000))

    def test_a_refused_body_is_not_the_next_request(self):
        inner = f"DELETE /v1/truth HTTP/1.1\r\nHost: {self.server.host}\r\n\r\n"
        self.server.ask("PUT", "/v1/truth", {"pictures": [{"row": 0, "label": "stays"}]})
        for head in (f"POST /v1/classify HTTP/1.1\r\nHost: {self.server.host}\r\nOrigin: http://evil.example\r\n"
                     "Content-Type: text/plain\r\n",
                     f"GET /v1/collection HTTP/1.1\r\nHost: {self.server.host}\r\n",
                     f"POST /v1/nothing HTTP/1.1\r\nHost: {self.server.host}\r\n"):
            got = self.server.raw(f"{head}Content-Length: {len(inner)}\r\n\r\n{inner}")
            self.assertEqual(got.count(b"HTTP/1.1 "), 1, got)
        self.assertEqual(self.server.ask("GET", "/v1/truth").json()["count"], 1)
        self.server.ask("DELETE", "/v1/truth")

    def test_foreign_hosts_and_origins(self):
        for host in ("evil.example", "evil.example:%d" % self.server.port, "127.0.0.1", "127.0.0.1:1", "",
                     "127.0.0.1:%d@evil.example" % self.server.port, "localhost.evil.example:%d" % self.server.port,
                     "[::1", "0.0.0.0:%d" % self.server.port):
            for path in ("/", "/v1/collection", "/healthz", "/knn-service"):
                self.assertEqual(self.server.ask("GET", path, headers={"Host": host}).status, 403, (host, path))
        for host in ("localhost:%d" % self.server.port, "LOCALHOST:%d" % self.server.port,
                     "127.0.0.1:%d" % self.server.port, "[::1]:%d" % self.server.port):
            self.assertEqual(self.server.ask("GET", "/v1/collection", headers={"Host": host}).status, 200, host)
        for origin in ("http://evil.example", "null", "https://127.0.0.1.evil.example", "http://127.0.0.1:1",
                       "file://"):
            for path in ("/v1/classify", "/knn-service"):
                answer = self.server.ask("POST", path, LABELLING, {"Origin": origin})
                self.assertEqual(answer.status, 403, (origin, path))
        self.assertEqual(self.server.ask("POST", "/v1/classify", LABELLING,
                                         {"Origin": f"http://{self.server.host}"}).status, 200)
        for site, path, status in (("cross-site", "/v1/pictures/0/thumbnail", 403), ("same-site", "/main.js", 403),
                                   ("same-origin", "/v1/pictures/0/thumbnail", 200), ("none", "/v1/collection", 200)):
            self.assertEqual(self.server.ask("GET", path, headers={"Sec-Fetch-Site": site}).status,
                             404 if path == "/main.js" and status == 200 else status, (site, path))

    def test_path_tricks(self):
        for path in ("/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
                     "/page/index.html", "/v1/pictures/../../etc/passwd/file", "/v1/pictures/%2e%2e%2f0/file",
                     "/v1/pictures/-1/file", "/v1/pictures/0%00/file", "/v1/pictures/18446744073709551616/file",
                     "/v1/pictures/0/file/", "/V1/collection", "/v1/runs/..", "/v1/runs/%2e%2e%2fMANIFEST.json",
                     "/v1/runs/.hidden", "/client.py/", "/openapi.json%00", "/%0d%0aSet-Cookie:%20x=y"):
            with self.subTest(path):
                answer = self.server.ask("GET", path)
                self.assertIn(answer.status, (400, 404), answer.body[:200])
                self.assertNotIn(b"root:", answer.body)
                self.assertNotIn("set-cookie", answer.headers)

    def test_every_answer_is_safe_to_show(self):
        for method, path in (("GET", "/"), ("GET", "/v1/collection"), ("GET", "/nothing"), ("GET", "/client.py"),
                             ("GET", "/v1/pictures/0/thumbnail"), ("GET", "/v1/pictures/0/file")):
            headers = self.server.ask(method, path).headers
            policy = headers["content-security-policy"]
            self.assertNotIn("unsafe", policy)
            self.assertIn("default-src 'none'", policy)
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertNotIn("access-control-allow-origin", headers)

    def test_ranges_and_compression_are_not_given(self):
        whole = self.server.ask("GET", "/v1/pictures/0/file")
        part = self.server.ask("GET", "/v1/pictures/0/file", headers={"Range": "bytes=" + "0-,".join([""] * 500)
                                                                      + "0-", "Accept-Encoding": "br, gzip"})
        self.assertEqual((part.status, part.body), (200, whole.body))
        self.assertNotIn("content-encoding", part.headers)

    def test_slow_clients_keep_nobody_out(self):
        slow = []
        try:
            for _ in range(200):
                connection = socket.create_connection(("127.0.0.1", self.server.port))
                connection.sendall(b"GET /v1/collection HTTP/1.1\r\nHost: ")
                slow.append(connection)
            for _ in range(5):
                start = time.monotonic()
                self.assertEqual(self.server.ask("GET", "/v1/collection", timeout=30).status, 200)
                self.assertLess(time.monotonic() - start, 8)
        finally:
            for connection in slow:
                connection.close()

    def test_a_head_must_come_in_time(self):
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=40) as connection:
            try:
                for _ in range(60):
                    connection.sendall(b"x")
                    time.sleep(0.5)
                    if connection.getblocking() and time.monotonic() - start > 35:
                        break
            except (BrokenPipeError, ConnectionResetError):
                pass
        self.assertLess(time.monotonic() - start, 25)

    def test_who_reads_nothing_does_not_stop_others(self):
        lazy = []
        for _ in range(8):
            connection = socket.create_connection(("127.0.0.1", self.server.port))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.sendall(f"GET /openapi.json HTTP/1.1\r\nHost: {self.server.host}\r\n\r\n".encode() * 50)
            lazy.append(connection)
        start = time.monotonic()
        self.assertEqual(self.server.ask("POST", "/v1/classify", LABELLING).status, 200)
        self.assertLess(time.monotonic() - start, 10)
        for connection in lazy:
            connection.close()

    def test_truncated_and_reset(self):
        body = json.dumps(LABELLING).encode()
        head = (f"POST /v1/classify HTTP/1.1\r\nHost: {self.server.host}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body) + 10}\r\n\r\n").encode()
        self.assertNotIn(b" 200 ", self.server.raw(head + body, half_close=True))
        for cut in range(0, len(head), 7):
            connection = socket.create_connection(("127.0.0.1", self.server.port))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(head[:cut])
            connection.close()
        self.assertEqual(self.server.ask("GET", "/healthz").status, 200)

    def test_errors_speak_of_requests_and_not_of_the_command_line(self):
        self.server.ask("PUT", "/v1/runs/there", LABELLING)
        picture = b"P6\n60000 60000\n255\n"
        cases = (
            ("/v1/classify", {"labels": []}, "labels", '"labels": ['),
            ("/v1/classify", {}, "labels", '"labels": ['),
            ("/v1/classify", {"labels": [1]}, "labels[0]", '{"name":'),
            ("/v1/classify", {"labels": ["a", ""]}, "labels[1]", '{"name":'),
            ("/v1/classify", {"labels": ["a", {"prompts": ["b"]}]}, "labels[1].name", '{"name":'),
            ("/v1/classify", {"labels": ["a"], "fusion": "foo"}, "fusion", "mix"),
            ("/v1/classify", {"classifier": "nobody"}, "nobody", "POST /v1/train"),
            ("/v1/classify", {"labels": ["a"], "calibration": "nobody"}, "nobody", "POST /v1/calibrate"),
            ("/v1/diff", {"before": {"labels": []}, "after": "there"}, "before.labels", '"labels": ['),
            ("/v1/export/preview", {**LABELLING, "name": "a", "mode": "foo"}, "mode", "copy"),
            ("/v1/search", {"text": "a", "filters": {"run": "there", "label": ["nobody"]}}, "filters.label", "Doom"),
            ("/v1/search", {"image": base64.b64encode(picture).decode()}, "the picture", "smaller"))
        for path, body, subject, cure in cases:
            with self.subTest(path=path, body=str(body)[:80]):
                answer = self.server.ask("POST", path, body)
                error = answer.json()["error"]
                self.assertIn(answer.status, (400, 404), error)
                self.assertEqual(error["subject"], subject, error)
                self.assertIn(cure, error["cure"])
                self.assertNotIn("--", " ".join(error.values()))
        self.server.ask("DELETE", "/v1/runs/there")
        told = self.server.ask("POST", "/v1/diff", {"before": "nobody", "after": "nobody"}).json()["error"]
        self.assertIn("PUT /v1/runs", told["cure"])
        form = self.server.ask("POST", "/v1/classify", b"{}", {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertIn("send Content-Type: application/json", form.json()["error"]["cure"])

    def test_many_at_once(self):
        failures = []

        def client(number):
            for i in range(10):
                labels = [{"name": f"label {number} {i} {k}"} for k in range(3)]
                answer = self.server.ask("POST", "/v1/classify", {"labels": labels})
                if answer.status != 200 or sum(one["count"] for one in answer.json()["labels"]) != 60:
                    failures.append(answer.body[:200])
        threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class Sigmoid(unittest.TestCase):
    MODEL = serving.SHARED / "golden_models" / "siglip" / "hf"

    @unittest.skipUnless(MODEL.is_dir(), "the reference data is not there")
    def test_a_model_that_judges_each_label_answers_as_the_command_does(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        precision = ["--precision", "fp32"]
        serving.run(serving.INDEX, "add", folder / "shelf", serving.SHARED / "golden_models" / "images", "--model",
                    self.MODEL, "--no-ocr", *precision)
        labels = [{"name": "a photo of a cat"}, {"name": "doom"}]
        with serving.Server(folder / "shelf", folder=folder, flags=precision) as server:
            for threshold in (None, 0, 0.0001, 0.5):
                for multi in (False, True):
                    for none in (False, True, ["nothing"]):
                        asked = {"labels": labels, "threshold": threshold, "multi": multi, "none": none}
                        flags = ["--multi"] * multi + ["--none"] * (none is True)
                        flags += ["--none-prompt", "nothing"] if isinstance(none, list) else []
                        flags += [] if threshold is None else ["--threshold", threshold]
                        command = serving.run(serving.QUERY, "classify", folder / "shelf", "--labels",
                                              "a photo of a cat, doom", "--format", "jsonl", *flags, *precision, ok=(0, 1))
                        expected = {}
                        for line in map(json.loads, command.stdout.splitlines()):
                            expected[line.pop("path")] = line
                        self.assertTrue(expected)
                        streamed = server.ask("POST", "/v1/classify/answers", asked).body.splitlines()
                        shown = server.ask("POST", "/v1/classify", {**asked, "per_label": 1000}).json()
                        pictures = [one for label in shown["labels"] for one in label["pictures"]]
                        for ours in [*map(json.loads, streamed), *pictures, *shown["unsure_pictures"]]:
                            theirs = expected[ours["path"]]
                            same = {name: ours.get(name) for name in theirs if name != "type"}
                            self.assertEqual(same, {name: theirs[name] for name in same}, asked)
                        self.assertEqual(len(streamed), len(expected))
                        if not multi:
                            self.assertEqual(len(pictures) + shown["unsure"], len(expected))
        shutil.rmtree(folder)

    @unittest.skipUnless(MODEL.is_dir(), "the reference data is not there")
    def test_texts_are_those_of_the_text_model_that_is_named(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        shelf = folder / "shelf"
        serving.run(serving.INDEX, "add", shelf, serving.SHARED / "golden_models" / "images", "--model", self.MODEL,
                    "--no-ocr", "--precision", "fp32")
        flags = ["--precision", "fp32", "--text-model", self.MODEL.parent / "open_clip"]

        def by_command(*more):
            lines = serving.run(serving.QUERY, "search", shelf, "a photo of a cat", "--all", "-k", 5, "--format", "jsonl", *more)
            return {line["path"]: line["image_score"] for line in map(json.loads, lines.stdout.splitlines()) if line["type"] == "hit"}

        own = by_command("--precision", "fp32")
        with serving.Server(shelf, folder=folder, flags=flags) as server:
            hits = server.ask("POST", "/v1/search", {"text": "a photo of a cat", "all": True, "k": 5}).json()["hits"]
        told = {hit["path"]: hit["image_score"] for hit in hits}
        self.assertEqual(told, by_command(*flags))
        self.assertNotEqual(told, own)
        shutil.rmtree(folder)


class Tokens(unittest.TestCase):
    def test_a_token_is_asked_for_everywhere(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        shelf = serving.make_collection(folder, 6)
        refused = serving.run(serving.QUERY, "serve", shelf, "--listen", "0.0.0.0:0", ok=(2,))
        self.assertIn("--token-file", refused.stderr)
        with serving.Server(shelf, flags=["--token-file", folder / "token"], folder=folder) as server:
            token = (folder / "token").read_text().strip()
            self.assertEqual((folder / "token").stat().st_mode & 0o77, 0)
            self.assertNotIn(token, server.stderr())
            for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {token}"},
                            {"Authorization": f"Bearer {token}x"}, {"Authorization": f"Bearer {token[:-1]}"},
                            {"Cookie": f"zeroshelf_{server.port}={token}"}, {"Cookie": f"zeroshelf_{server.port}="}):
                for path in ("/v1/collection", "/openapi.json", "/v1/pictures/0/file", "/metrics", "/"):
                    self.assertEqual(server.ask("GET", path, headers=headers).status, 401, (headers, path))
            self.assertEqual(server.ask("GET", "/healthz").status, 200)
            self.assertEqual(server.ask("GET", "/v1/collection",
                                        headers={"Authorization": f"Bearer {token}"}).status, 200)
            path = re.search(r"http://\S+(/\?once=[0-9a-f]+)", server.stderr()).group(1)
            opened = server.ask("GET", path)
            self.assertEqual(opened.status, 303)
            cookie = opened.headers["set-cookie"]
            self.assertIn("SameSite=Strict", cookie)
            self.assertIn("HttpOnly", cookie)
            pair = cookie.split(";")[0]
            self.assertEqual(server.ask("GET", "/v1/collection", headers={"Cookie": f"a=b; {pair}"}).status, 200)
            self.assertEqual(server.ask("GET", path).status, 401, "it works once")
            self.assertEqual(server.ask("POST", "/login", b"token=" + token.encode(),
                                        {"Content-Type": "text/plain"}).status, 303)
            self.assertEqual(server.ask("POST", "/login", b"token=x", {"Content-Type": "text/plain"}).status, 401)
        (folder / "open").write_text("x" * 40)
        (folder / "open").chmod(0o644)
        serving.run(serving.QUERY, "serve", shelf, "--token-file", folder / "open", ok=(2,))
        shutil.rmtree(folder)


class Lives(unittest.TestCase):
    def test_truth_is_that_of_the_collection_that_is_there(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        shelf = serving.make_collection(folder, 6)
        other = folder / "other"
        serving.run(serving.INDEX, "add", other, folder / "pictures", ok=(0, 3))
        with serving.Server(shelf, folder=folder) as server:
            server.ask("PUT", "/v1/truth", {"pictures": [{"row": 0, "label": "old"}]})
            shelf.rename(folder / "keep")
            other.rename(shelf)
            told = server.ask("GET", "/v1/truth").json()
            self.assertEqual((told["count"], told["labels"]), (0, []))
            server.wait_until(lambda: server.ask("GET", "/v1/pictures/0").json()["truth"] is None)
            server.ask("PUT", "/v1/truth", {"pictures": [{"row": 1, "label": "new"}]})
            self.assertEqual([one["name"] for one in server.ask("GET", "/v1/truth").json()["labels"]], ["new"])
        with serving.Server(folder / "keep", folder=folder) as server:
            self.assertEqual([one["name"] for one in server.ask("GET", "/v1/truth").json()["labels"]], ["old"])
        shutil.rmtree(folder)

    def test_exports_go_into_a_folder_of_their_own(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        shelf = serving.make_collection(folder, 6)
        (folder / "file").write_text("a file")
        (folder / "link").symlink_to(shelf)
        for place, cause in ((folder / "file", "is no folder"), (shelf, "the collection's alone"),
                             (shelf / "exports", "the collection's alone"), (folder / "link", "the collection's alone")):
            refused = serving.run(serving.QUERY, "serve", shelf, "--listen", "127.0.0.1:0", "--export-to", place, ok=(2,))
            self.assertIn("--export-to", refused.stderr)
            self.assertIn(cause, refused.stderr)
            self.assertEqual(refused.stdout, "")
        shutil.rmtree(folder)

    def test_read_only_keeps_nothing(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        shelf = serving.make_collection(folder, 6)

        def files():
            return sorted((str(path), path.stat().st_mtime_ns) for path in shelf.rglob("*") if path.is_file())
        before = files()
        with serving.Server(shelf, flags=["--read-only"], folder=folder) as server:
            self.assertEqual(server.ask("POST", "/v1/classify", LABELLING).status, 200)
            self.assertEqual(server.ask("POST", "/v1/search", {"text": "bells"}).status, 200)
            for method, path, body in (("PUT", "/v1/truth", {"pictures": []}), ("PUT", "/v1/runs/a", LABELLING),
                                       ("DELETE", "/v1/truth", None), ("POST", "/v1/export", {**LABELLING, "name": "a"}),
                                       ("POST", "/v1/export/preview", {**LABELLING, "name": "a"}),
                                       ("POST", "/v1/train", {})):
                self.assertEqual(server.ask(method, path, body).status, 403, path)
            self.assertFalse(server.ask("GET", "/v1/collection").json()["exports"])
        self.assertEqual(files(), before)
        shutil.rmtree(folder)

    def test_it_follows_the_collection(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        shelf = serving.make_collection(folder, 10)
        with serving.Server(shelf, folder=folder) as server:
            def pictures():
                return server.ask("POST", "/v1/classify", LABELLING).json()["pictures"]
            self.assertEqual(pictures(), 10)
            serving.draw(folder / "more", 5, seed=99)
            serving.run(serving.INDEX, "add", shelf, folder / "pictures", folder / "more", ok=(0, 3))
            server.wait_until(lambda: pictures() == 15)
            for path in sorted((folder / "pictures").rglob("0*.jpg"))[:3]:
                path.unlink()
            serving.run(serving.INDEX, "add", shelf, folder / "pictures", folder / "more", ok=(0, 3))
            server.wait_until(lambda: pictures() == 12)
            serving.run(serving.INDEX, "compact", shelf)
            server.wait_until(lambda: server.ask("GET", "/v1/collection").json()["rows"] == 12)
            self.assertEqual(pictures(), 12)
        shutil.rmtree(folder)

    def test_a_collection_that_cannot_follow_keeps_no_other_from_it(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        shelves = [serving.make_collection(folder / name, 6) for name in "ab"]
        with serving.Server(*shelves, folder=folder) as server:
            def ends(job):
                server.wait_until(lambda: server.ask("GET", f"/v1/jobs/{job}").json()["state"] != "running")
                return server.ask("GET", f"/v1/jobs/{job}").json()
            def gone():
                return [server.ask("GET", f"/v1/pictures/{row}").json()["gone"] for row in range(12)]
            for path, body in (("/v1/export", {**LABELLING, "name": "moved", "mode": "move"}),
                               ("/v1/undo", {"name": "moved"})):
                with open(shelves[0] / "LOCK", "r+b") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    job = ends(server.ask("POST", path, body).json()["id"])
                self.assertEqual((job["state"], job["exported"], job["failed"]), ("done", 12, 0), job)
                self.assertEqual([one["subject"] for one in job["failures"]], [str(shelves[0])], job)
                self.assertEqual(gone()[6:], [False] * 6)
        shutil.rmtree(folder)

    def test_signals_end_it_orderly(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        shelf = serving.make_collection(folder, 6)
        for how in (signal.SIGTERM, signal.SIGINT):
            server = serving.Server(shelf, folder=folder)
            idle = socket.create_connection(("127.0.0.1", server.port))
            self.assertEqual(server.ask("GET", "/healthz").status, 200)
            start = time.monotonic()
            self.assertEqual(server.stop(how), 0)
            self.assertLess(time.monotonic() - start, 15)
            idle.close()
        with serving.Server(shelf, folder=folder) as first:
            taken = serving.run(serving.QUERY, "serve", shelf, "--listen", f"127.0.0.1:{first.port}", ok=(2,))
            self.assertIn("another program listens there", taken.stderr)
        shutil.rmtree(folder)

    def test_two_collections_are_one(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-test-"))
        first = serving.make_collection(folder / "a", 6)
        second = serving.make_collection(folder / "b", 6)
        with serving.Server(first, second) as server:
            told = server.ask("GET", "/v1/collection").json()
            self.assertEqual([part["pictures"] for part in told["parts"]], [6, 6])
            self.assertEqual(sum(label["count"] for label in server.ask("POST", "/v1/classify",
                                                                        LABELLING).json()["labels"]), 12)
            self.assertEqual(server.ask("GET", "/v1/pictures/8/file").status, 200)
        shutil.rmtree(folder)


if __name__ == "__main__":
    unittest.main(verbosity=2)
