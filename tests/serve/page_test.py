#!/usr/bin/env python3
"""The page of `zeroshelf-query serve` in headless Chromium, as somebody uses it.

page_test.py                         the tests; exit code 77 where Chromium or its driver is not installed
page_test.py --bench URL             on a server that runs: from a key to counts and first shelf on the screen
page_test.py --shot docs/page.png    the picture of README, of pictures that zeroshelf-draw draws
page_test.py PageTest.test_NAME...   only these

The programs are named by the environment, as serving.py has it; ctest does so. By hand: --build build/release.
"""

import argparse
import base64
import csv
import json
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import time
import unittest

from browser import Browser, missing

if __name__ == "__main__" and "--build" in sys.argv:
    folder = pathlib.Path(sys.argv[sys.argv.index("--build") + 1]).resolve()
    os.environ["ZEROSHELF_INDEX_PROGRAM"] = str(folder / "indexer/zeroshelf-index")
    os.environ["ZEROSHELF_QUERY_PROGRAM"] = str(folder / "query/zeroshelf-query")
    os.environ["ZEROSHELF_DRAW_PROGRAM"] = str(folder / "models/train/zeroshelf-draw")

from serving import DRAW, INDEX, LAUNCHER, QUERY, Server, run  # after the environment is set

MEMES = 60
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'<\u2044script>"
HOSTILE_WORDS = ["<img/src=x/onerror=document.title='owned'>", "</text><script>document.title='owned'</script>",
                 "javascript:document.title='owned'", "\u202eowned\u202c"]
WORLDS = ["Doom", "Animal Crossing"]
TEN_LABELS = [f"label {number}" for number in range(10, 20)]  # which ./dev bench serve has the prompts of
OWN_ADDRESS = r"http://127\.0\.0\.1:\d+/|(data|blob|about|chrome):"


class PageServer(Server):
    """A server whose JSON is asked for in a word."""

    def json(self, path, body=None, method=None):
        answer = self.ask(method or ("GET" if body is None else "POST"), path, body)
        assert answer.status < 300, (path, answer.status, answer.body)
        return json.loads(answer.body or b"null")


def draw_memes(work, count=MEMES, seed=7):
    run(DRAW, "memes", work / "memes", "--count", count, "--seed", seed, "--two-sided")
    with open(work / "memes.csv", newline="", encoding="utf-8") as table:
        return {pathlib.Path(row["path"]).name: row["label"] for row in csv.DictReader(table)}


def hostile_collection(work, shelf):
    """The same vectors with other people's worst words, and a file whose name is markup."""
    run(QUERY, "vectors", shelf, "--npy", work / "images.npy", "--text-npy", work / "texts.npy", "--metadata", work / "all.jsonl")
    lines = []
    for number, line in enumerate((work / "all.jsonl").read_text(encoding="utf-8").splitlines()):
        picture = json.loads(line)
        for place, word in enumerate(picture.get("words") or []):
            word["text"] = HOSTILE_WORDS[(number + place) % len(HOSTILE_WORDS)]
        lines.append(json.dumps(picture))
    (work / "hostile.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(INDEX, "import", work / "hostile.shelf", "--npy", work / "images.npy", "--text-npy", work / "texts.npy",
        "--metadata", work / "hostile.jsonl", "--model", "mini")
    return work / "hostile.shelf"


class Page:
    """The page in a browser, by what a person sees and does."""

    def __init__(self, server, browser, address="/"):
        self.browser = browser
        browser.open("about:blank")
        browser.open(server.url.rstrip("/") + address)
        browser.until("return document.querySelector('.labels') !== null")

    def settle(self):
        """Until nothing was asked of the server for a while: one answer may be what the next is asked with."""
        quiet = 0
        end = time.monotonic() + 60
        while quiet < 6:
            if time.monotonic() > end:
                raise AssertionError("the page still waits for the server after 60 s")
            quiet = 0 if self.browser.run("return document.body.classList.contains('waiting')") else quiet + 1
            time.sleep(0.05)

    def type_labels(self, *lines):
        for line in lines:
            self.browser.run("[...document.querySelectorAll('.label-line input')].at(-1).focus()")
            self.browser.press(*line)
        self.settle()

    def counts(self):
        """Of every shelf that is shown."""
        return dict(self.browser.run(
            "return [...document.querySelectorAll('.shelf')].map((shelf) => [shelf.querySelector('.shelf-name').textContent,"
            " Number(shelf.querySelector('.count').textContent.replaceAll(',', ''))])"))

    def first_pictures(self, shelf):
        """The names of the files that lie first on this shelf."""
        names = self.browser.run(
            "const shelf = [...document.querySelectorAll('.shelf')].find((one) => one.querySelector('.shelf-name').textContent === arguments[0]);"
            "return [...shelf.querySelectorAll('.tile')].sort((a, b) => a.dataset.index - b.dataset.index).map((tile) => tile.getAttribute('aria-label'))",
            shelf)
        return [name.split(",")[0] for name in names]

    def set_threshold(self, value):
        self.browser.run("const slider = document.querySelector('.threshold input'); slider.value = arguments[0];"
                         "slider.dispatchEvent(new Event('input', {bubbles: true}))", value)
        self.settle()

    def drop(self, row):
        """The file of a picture, dropped from elsewhere."""
        self.browser.run(
            "return fetch(`/v1/pictures/${arguments[0]}/file`).then((answer) => answer.blob()).then((blob) => {"
            "  const items = new DataTransfer();"
            "  items.items.add(new File([blob], 'dropped.jpg', {type: 'image/jpeg'}));"
            "  for (const kind of ['dragover', 'drop'])"
            "    document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: items, bubbles: true, cancelable: true}));"
            "})", row)


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="zeroshelf-page-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.work = pathlib.Path(cls.folder.name)
        cls.truth = draw_memes(cls.work)
        some = next(iter(sorted((cls.work / "memes/Doom").iterdir())))
        # Another content, so that it is no copy whose label is told with the other's.
        (cls.work / "memes" / (HOSTILE + ".jpg")).write_bytes(some.read_bytes() + b"\n")
        cls.shelf = cls.work / "memes.shelf"
        run(INDEX, "add", cls.shelf, cls.work / "memes")
        (cls.work / "exports").mkdir()
        cls.server = PageServer(cls.shelf, folder=cls.work)
        cls.addClassCleanup(cls.server.stop)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.server.json("/v1/truth", method="DELETE")

    def tearDown(self):
        foreign = [address for address in self.browser.requested() if not re.match(OWN_ADDRESS, address)]
        self.assertEqual(foreign, [], "another host was asked")
        complaints = [text for text in self.browser.errors() if "Failed to load resource" not in text]
        self.assertEqual(complaints, [])

    def open(self, address="/"):
        return Page(self.server, self.browser, address)

    def answers(self, **labelling):
        body = {"labels": [{"name": name} for name in WORLDS], **labelling}
        if "classifier" in labelling:
            del body["labels"]
        return self.server.json("/v1/classify", {**body, "per_label": 1000})

    def test_labels_typed_pictures_move_to_their_shelves(self):
        page = self.open()
        page.type_labels(*WORLDS)
        expected = {label["name"]: label["count"] for label in self.answers()["labels"]}
        self.assertEqual(page.counts(), expected)
        for name in WORLDS:
            first = page.first_pictures(name)[:3]
            self.assertTrue(first)
            self.assertTrue(all(self.truth.get(picture, "Doom") == name for picture in first), first)
        page.type_labels("weapons: a sword | a gun")
        self.assertEqual(set(page.counts()), {*WORLDS, "weapons"})
        self.assertIn("l=Doom", self.browser.until("return location.hash.includes('weapons') && location.hash"))

    def test_address_brings_the_view_back(self):
        page = self.open("/#/shelves?l=Doom&l=Animal+Crossing&rule=image&threshold=0.6&sort=margin")
        page.settle()
        expected = self.answers(fusion="image", threshold=0.6)
        counts = page.counts()
        self.assertEqual([counts[name] for name in WORLDS], [label["count"] for label in expected["labels"]])
        self.assertEqual(counts.get("Unsure", 0), expected["unsure"])

    def test_threshold_moves_pictures_to_unsure(self):
        page = self.open("/#/shelves?l=Doom&l=Animal+Crossing&rule=image")
        page.settle()
        self.assertNotIn("Unsure", page.counts())
        unsure = 0
        for threshold in (0.7, 0.95):
            page.set_threshold(threshold)
            counts = page.counts()
            self.assertEqual(counts["Unsure"], self.answers(fusion="image", threshold=threshold)["unsure"])
            self.assertGreater(counts["Unsure"], unsure)
            unsure = counts["Unsure"]
        self.assertEqual(sum(counts.values()), MEMES + 1)

    def test_several_labels_a_picture(self):
        page = self.open("/#/shelves?l=Doom&l=Animal+Crossing&l=fire&sort=margin")
        page.settle()
        self.assertEqual(sum(page.counts().values()), MEMES + 1)
        self.browser.click(".settings .several input")
        page.settle()
        self.browser.until("return location.hash.includes('multi=1')")
        labels = [{"name": name} for name in (*WORLDS, "fire")]
        for threshold in (None, 0.05):
            if threshold:
                page.set_threshold(threshold)
            expected = self.server.json("/v1/classify", {"labels": labels, "multi": True, "threshold": threshold, "per_label": 1000})
            counts = page.counts()
            self.assertEqual([counts[label["name"]] for label in expected["labels"]], [label["count"] for label in expected["labels"]])
            self.assertEqual(counts.get("Unsure", 0), expected["unsure"])
            self.assertEqual(self.browser.run("return document.querySelector('.threshold output').textContent"), f"{threshold or 0.1:.2f}")
        self.assertTrue(self.browser.run("return document.querySelector('.bar-top select').disabled"), "there is no margin to sort by")
        several = next(one for label in expected["labels"] for one in label["pictures"] if len(one["labels"]) > 1)
        page = self.open(f"/#/shelves?l=Doom&l=Animal+Crossing&l=fire&multi=1&threshold=0.05&shelf=Doom&picture={several['row']}")
        had = self.browser.until("return document.querySelector('.labels-had')?.textContent")
        for one in several["labels"]:
            self.assertIn(one["label"], had)
        page.settle()
        first = self.browser.until("return document.querySelector('.tiles .tile[data-index=\"0\"]:not(.waiting)')?.getAttribute('aria-label')")
        shelf = self.server.json("/v1/classify/pictures", {"labels": labels, "multi": True, "threshold": 0.05, "label": "Doom"})["pictures"]
        self.assertTrue(all(one["label"] in first for one in shelf[0]["labels"]), first)
        # What goes by one label a picture takes the best.
        self.open("/#/judge?l=Doom&l=Animal+Crossing&multi=1")
        self.browser.until("return document.querySelector('.answers button') !== null")
        self.open("/#/export?l=Doom&l=Animal+Crossing&multi=1")
        self.browser.until("return document.querySelector('.preview table') !== null")
        self.open("/#/search?q=bells&all=1&l=Doom&l=Animal+Crossing&multi=1&only-label=Doom")
        self.browser.until("return document.querySelectorAll('.search .tile').length > 0")

    def test_whole_shelf_scrolls_and_draws_only_what_is_seen(self):
        page = self.open("/#/shelves?l=Doom&l=Animal+Crossing&shelf=Doom")
        page.settle()
        count = next(label["count"] for label in self.answers()["labels"] if label["name"] == "Doom")
        self.browser.devtools("Emulation.setDeviceMetricsOverride", {"width": 720, "height": 420, "deviceScaleFactor": 1, "mobile": False})
        self.browser.until("return document.querySelectorAll('.tiles .tile').length < 24")
        self.browser.run("document.querySelector('.tiles .tile').focus()")
        self.browser.press("End")
        last = self.browser.until("return document.activeElement.getAttribute('aria-posinset')")
        self.assertEqual(int(last), count)
        self.browser.until("return !document.activeElement.classList.contains('waiting')")
        self.browser.devtools("Emulation.setDeviceMetricsOverride", {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False})

    def test_evidence_shows_both_sides_and_boxes(self):
        answer = next(one for label in self.answers()["labels"] for one in label["pictures"] if one["ocr"] and one["ocr"]["words"] > 2)
        page = self.open("/#/shelves?l=Doom&l=Animal+Crossing&picture=%d" % answer["row"])
        self.browser.until("return document.querySelector('.verdict') !== null")
        page.settle()
        told = self.browser.run("return document.getElementById('evidence').innerText")
        self.assertIn(answer["label"], told)
        self.assertIn(answer["image"]["label"], told)
        self.assertIn(answer["path"].rsplit("/", 1)[1], told)
        self.assertIn(answer["path"].rsplit("/", 1)[0], told)
        words = self.server.json(f"/v1/pictures/{answer['row']}")["words"]
        boxes = self.browser.run("return [...document.querySelectorAll('.boxes rect')].map((box) => ['x', 'y', 'width', 'height'].map((name) => Number(box.getAttribute(name))))")
        self.assertEqual(boxes, [word["box"] for word in words])
        # The boxes lie on the picture: both have the same place and the same proportions.
        same = self.browser.run("const a = document.querySelector('.picture img').getBoundingClientRect(), b = document.querySelector('.boxes').getBoundingClientRect();"
                                "return Math.abs(a.x - b.x) + Math.abs(a.y - b.y) + Math.abs(a.width - b.width) + Math.abs(a.height - b.height)")
        self.assertLess(same, 1)

    def test_keyboard_alone_reaches_the_evidence_and_comes_back(self):
        page = self.open("/#/shelves?l=Doom&l=Animal+Crossing")
        page.settle()
        self.browser.run("document.querySelector('.shelf .tile[tabindex=\"0\"]').focus()")
        self.browser.press("ArrowRight", "Enter")
        self.browser.until("return document.querySelector('.verdict') !== null")
        self.assertEqual(self.browser.run("return document.activeElement.getAttribute('aria-posinset')"), "2")
        self.assertEqual(self.browser.run("return document.activeElement.getAttribute('aria-selected')"), "true")
        self.browser.press("Escape")
        self.browser.until("return document.getElementById('evidence').hidden")

    def test_search_by_a_dropped_picture_finds_it_first(self):
        page = self.open()
        picture = self.server.json("/v1/pictures/5")
        page.drop(5)
        self.browser.until("return document.querySelectorAll('.search .tile').length > 3")
        page.settle()
        first = self.browser.run("return document.querySelector('.search .tile[data-index=\"0\"]').dataset.key")
        self.assertEqual(first, f"5-{picture['sha256']}")

    def test_search_by_words_says_why(self):
        word = max((word["text"] for row in range(MEMES) for word in self.server.json(f"/v1/pictures/{row}")["words"] if word["text"].isalpha()), key=len)
        page = self.open(f"/#/search?q=%22{word}%22")
        self.browser.until("return document.querySelectorAll('.search .tile').length > 0")
        self.browser.run("document.querySelector('.search .tile[data-index=\"0\"]').click()")
        self.browser.until("return document.querySelector('.why') !== null")
        self.assertIn(word.lower(), self.browser.run("return document.querySelector('.why').innerText.toLowerCase()"))
        self.assertEqual(self.browser.run("return document.querySelectorAll('.boxes .found').length > 0"), True)
        before = self.browser.run("return document.querySelector('.told').textContent")
        self.browser.run("const box = document.querySelector('.search-box'); box.value = ''; box.focus()")
        shown = next(iter(self.truth.values())).lower()  # what the set says that it shows
        self.browser.press(*shown)
        self.browser.until("return document.querySelector('.told').textContent !== arguments[0]", before)
        page.settle()
        expected = self.server.json("/v1/search", {"text": shown, "k": 100})["hits"]
        first = self.browser.until("return document.querySelector('.search .tile[data-index=\"0\"]')?.dataset.key")
        self.assertEqual(first, f"{expected[0]['row']}-{expected[0]['sha256']}")

    def test_weak_matches_stand_behind_and_look_otherwise(self):
        page = self.open("/#/search?q=skull&all=1")
        self.browser.until("return document.querySelectorAll('.search .tile').length > 0")
        page.settle()
        hits = self.server.json("/v1/search", {"text": "skull", "k": 100, "all": True})["hits"]
        good = sum(hit["fits"] for hit in hits)
        self.assertLess(good, len(hits))
        weak = self.browser.run("return [...document.querySelectorAll('.search .tile')].filter((tile) => tile.classList.contains('weak')).map((tile) => Number(tile.dataset.index))")
        shown = self.browser.run("return document.querySelectorAll('.search .tile').length")
        self.assertEqual(sorted(weak), list(range(good, shown)))
        self.assertIn(f"then the nearest {len(hits) - good}", self.browser.run("return document.querySelector('.told').textContent"))

    def test_like_this_one_and_less_of(self):
        page = self.open("/#/search?term=%2B@3&term=-fire")
        self.browser.until("return document.querySelectorAll('.search .tile').length > 0")
        page.settle()
        expected = self.server.json("/v1/search", {"row": 3, "minus": [{"text": "fire"}], "k": 100})["hits"]
        keys = self.browser.run("return [...document.querySelectorAll('.search .tile')].sort((a, b) => a.dataset.index - b.dataset.index).slice(0, 5).map((tile) => tile.dataset.key)")
        self.assertEqual(keys, [f"{hit['row']}-{hit['sha256']}" for hit in expected[:5]])

    def test_twenty_answers_by_key_train_and_shelves_move(self):
        names = ["glorp", "zibble"]  # words that say nothing: only the answers can help
        kind = {"Doom": "1", "Animal Crossing": "2"}
        page = self.open("/#/judge?l=glorp&l=zibble")
        self.browser.until("return document.querySelector('.answers button') !== null")
        self.browser.run("document.getElementById('learn-while-judging').click(); document.querySelector('.judge').focus()")
        told = []
        while len(told) < 20:
            name = self.browser.until("return document.querySelector('.judged-picture img').alt")
            if name in told:
                time.sleep(0.05)
                continue
            self.browser.press(kind[self.truth.get(name, "Doom")])
            told.append(name)
        page.settle()
        self.assertEqual(self.server.json("/v1/truth")["count"], 20)
        accuracy = self.browser.until("return document.querySelector('.accuracy .interval') && document.querySelector('.accuracy').innerText")
        self.assertIn("20 answers", accuracy)
        before = self.right(self.server.json("/v1/classify", {"labels": [{"name": name} for name in names], "per_label": 1000}), names)
        self.browser.run("[...document.querySelectorAll('.judge-side button')].find((button) => button.textContent === 'Train').click()")
        self.browser.until("return location.hash.includes('classifier=judged')")
        page.settle()
        after = self.right(self.server.json("/v1/classify", {"classifier": "judged", "per_label": 1000}), names)
        self.assertGreater(after, before + 0.1)
        self.assertGreater(after, 0.8)
        learned = {label["name"]: label["count"] for label in self.server.json("/v1/classify", {"classifier": "judged"})["labels"]}
        self.browser.run("[...document.querySelectorAll('#views button')].find((button) => button.textContent === 'Shelves').click()")
        page.settle()
        self.assertEqual(page.counts(), learned)

    def right(self, answer, names):
        world = dict(zip(names, WORLDS))
        pictures = [(label["name"], one["path"].rsplit("/", 1)[1]) for label in answer["labels"] for one in label["pictures"]]
        return sum(world[name] == self.truth.get(picture, "Doom") for name, picture in pictures) / len(pictures)

    def say(self, label_of, count):
        """Truths of so many pictures of which all rules say the same."""
        sure = [one for label in self.answers()["labels"] for one in label["pictures"][:count] if one["text"] is None or one["text"]["label"] == one["image"]["label"]]
        said = [{"row": one["row"], "sha256": one["sha256"], "label": label_of(one)} for one in sure][:count]
        self.assertEqual(len({one["label"] for one in said}), 2)
        self.server.json("/v1/truth", {"pictures": said}, "PUT")

    def test_evaluation_that_is_hardly_better_than_guessing_says_what_to_do(self):
        self.say(lambda one: next(name for name in WORLDS if name != one["label"]), 60)
        page = self.open("/#/judge?l=Doom&l=Animal+Crossing")
        page.settle()
        press = "[...document.querySelectorAll('.judge-side button')].find((button) => button.textContent === 'Evaluate').click()"
        self.browser.run(press)
        told = self.browser.until("return document.querySelector('.judge-side .warning')?.textContent")
        self.assertIn("guessing among 2 labels is right for 50.0 %", told)
        self.server.json("/v1/truth", method="DELETE")
        self.say(lambda one: one["label"], 60)
        self.browser.run(press)
        self.browser.until("return document.querySelector('.judge-side .ways') !== null && document.querySelector('.judge-side .warning') === null")

    def test_classifier_is_named_wherever_it_answers(self):
        self.say(lambda one: one["label"], 60)
        self.server.json("/v1/train", {"labels": [{"name": name} for name in WORLDS], "save": "pets"})
        page = self.open("/#/shelves?l=Doom&l=Animal+Crossing")
        page.settle()
        self.assertNotIn("pets", self.browser.run("return document.querySelector('.took').textContent"))
        page = self.open("/#/shelves?l=Doom&l=Animal+Crossing&classifier=pets")
        page.settle()
        self.assertIn("by classifier pets", self.browser.run("return document.querySelector('.took').textContent"))
        self.assertEqual(self.browser.run("return document.querySelector('.labels .note strong').textContent"), "pets")
        page = self.open("/#/judge?l=Doom&l=Animal+Crossing&classifier=pets")
        page.settle()
        self.browser.until("return document.querySelector('.accuracy h3')?.textContent.includes('what pets learned agrees')")
        self.browser.run("[...document.querySelectorAll('.judge-side button')].find((button) => button.textContent === 'Evaluate').click()")
        self.browser.until("return document.querySelector('.judge-side').innerText.includes('classifier pets')")
        self.server.json("/v1/runs/learned", {"classifier": "pets", "replace": True}, "PUT")
        self.open("/#/runs")
        self.browser.until("return document.querySelector('.kept-list').innerText.includes('classifier pets')")
        self.server.json("/v1/runs/learned", method="DELETE")
        self.server.json("/v1/classifiers/pets", method="DELETE")

    def test_undo_takes_an_answer_back(self):
        self.open("/#/judge?l=Doom&l=Animal+Crossing")
        first = self.browser.until("return document.querySelector('.judged-picture img').alt")
        self.browser.run("document.querySelector('.judge').focus()")
        self.browser.press("1")
        self.browser.until("return document.querySelector('.judged-picture img').alt !== arguments[0]", first)
        self.browser.press("Backspace")
        self.browser.until("return document.querySelector('.judged-picture img').alt === arguments[0]", first)
        end = time.monotonic() + 30
        while self.server.json("/v1/truth")["count"] != 0:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_run_is_kept_and_compared(self):
        page = self.open("/#/runs?l=Doom&l=Animal+Crossing&rule=image")
        page.settle()
        self.browser.type(".keeper input", "by-picture")
        self.browser.click(".keeper button")
        self.browser.until("return document.querySelector('.kept-list').innerText.includes('by-picture')")
        page = self.open("/#/runs?l=Doom&l=Animal+Crossing&rule=text&run=by-picture")
        self.browser.until("return document.querySelector('.flows td') !== null")
        after = {"labels": [{"name": name} for name in WORLDS], "fusion": "text", "template": "plain", "none": False}
        diff = self.server.json("/v1/diff", {"before": "by-picture", "after": after})
        self.assertGreater(diff["moved"], 0)
        self.assertIn(f"{diff['moved']} picture", self.browser.run("return document.querySelector('.diff').innerText"))
        self.browser.run("document.querySelector('.flows button').click()")
        self.browser.until("return document.querySelectorAll('.moved .tile').length > 0")

    def test_export_is_previewed_done_and_undone(self):
        files = lambda: sorted(str(path.relative_to(self.work / "memes")) for path in (self.work / "memes").rglob("*") if path.is_file())
        before = files()
        page = self.open("/#/export?l=Doom&l=Animal+Crossing")
        self.browser.until("return document.querySelector('.preview table') !== null")
        page.settle()
        self.browser.run(
            "const [name, format, mode] = document.querySelectorAll('.export-form .field :is(input, select)');"
            "name.value = 'sorted'; mode.value = 'move';"
            "name.dispatchEvent(new Event('input', {bubbles: true})); mode.dispatchEvent(new Event('change', {bubbles: true}))")
        self.browser.until("return document.querySelector('.export-form .primary').textContent.startsWith('Move') && !document.querySelector('.export-form .primary').disabled")
        self.assertIn("61 pictures", self.browser.run("return document.querySelector('.preview').innerText"))
        self.assertEqual(files(), before, "a look at what would be written writes nothing")
        self.browser.run("document.querySelector('.export-form .primary').click()")
        self.browser.until("return document.querySelector('.jobs .undo') !== null")
        self.assertEqual(files(), [])
        self.assertTrue((self.work / "exports/sorted/Doom").is_dir())
        self.browser.run("document.querySelector('.jobs .undo').click()")
        self.browser.until("return document.querySelectorAll('.jobs li').length === 2 && !document.querySelector('.jobs progress')")
        self.assertEqual(files(), before)

    def test_hostile_names_and_labels_are_text(self):
        page = self.open("/#/shelves?shelf=&l=%3Cimg+src%3Dx+onerror%3Ddocument.title%3D1%3E&l=Doom")
        page.settle()
        row = next(row for row in range(MEMES + 1) if HOSTILE in self.server.json(f"/v1/pictures/{row}")["path"])
        page = self.open(f"/#/shelves?l=Doom&l=Animal+Crossing&picture={row}")
        self.browser.until("return document.querySelector('.path') !== null")
        self.assertIn(HOSTILE, self.browser.run("return document.querySelector('.path').innerText"))
        self.unharmed()

    def unharmed(self):
        self.assertNotIn("owned", self.browser.run("return document.title"))
        self.assertEqual(self.browser.run("return document.querySelectorAll('img[src=\"x\"], img[onerror]').length"), 0)
        self.assertEqual(self.browser.run("return document.scripts.length"), 1)

    def test_hostile_words_in_pictures_are_text(self):
        server = PageServer(hostile_collection(self.work, self.shelf), folder=self.work)
        self.addCleanup(server.stop)
        row = next(row for row in range(MEMES) if len(server.json(f"/v1/pictures/{row}")["words"]) > 3)
        Page(server, self.browser, f"/#/shelves?l=Doom&l=Animal+Crossing&picture={row}")
        self.browser.until("return document.querySelectorAll('.words li').length > 3")
        self.assertIn("onerror", self.browser.run("return document.querySelector('.words').innerText"))
        self.unharmed()
        page = Page(server, self.browser, "/#/search?q=owned")
        page.settle()
        self.unharmed()
        Page(server, self.browser, "/#/duplicates")
        self.browser.until("return document.querySelector('.duplicates .choices button') !== null")
        self.unharmed()

    def test_views_of_duplicates_skips_and_statistics(self):
        self.open("/#/duplicates")
        self.browser.until("return document.querySelectorAll('.group .tile').length > 1")
        self.open("/#/skips")
        self.browser.until("return document.querySelector('.skips').innerText.includes('Every file could be read')")
        self.open("/#/statistics?l=Doom&l=Animal+Crossing")
        self.browser.until("return document.querySelector('.statistics').innerText.includes('On the shelves') && document.querySelector('.numbers') !== null")
        self.assertIn(str(MEMES + 1), self.browser.run("return document.querySelector('.numbers').innerText"))

    def test_several_processes_have_no_view_of_what_they_do_not_answer(self):
        mpirun = shutil.which("mpirun")
        if mpirun is None:
            self.skipTest("no mpirun")
        os.environ.update(LAUNCHER)
        try:
            server = PageServer(self.shelf, folder=self.work, before=[mpirun, "-n", "2"])
        except AssertionError as error:
            if "built with libopenmpi-dev" not in str(error):
                raise
            self.skipTest("built without MPI")
        self.addCleanup(server.stop)
        page = Page(server, self.browser, "/#/duplicates?l=Doom&l=Animal+Crossing")  # none: the shelves
        self.browser.until("return document.querySelector('.shelf .tile') !== null")
        views = self.browser.run("return [...document.querySelectorAll('#views button')].map((one) => one.textContent)")
        self.assertEqual(views, ["Shelves", "Search", "Judge", "Runs", "Skipped", "Statistics"])
        for view in views:
            self.browser.run("[...document.querySelectorAll('#views button')].find((one) => one.textContent === arguments[0]).click()", view)
            page.settle()
            self.assertEqual(self.browser.run("return document.querySelectorAll('main .problem, main .warning').length"), 0, view)
            words = self.browser.run("return document.querySelector('main').textContent")
            for word in ("Train", "Calibrate", "learn while", "Keep the shelves", "What moved"):
                self.assertNotIn(word, words.replace("keeps the shelves, and says what moved", ""), view)
        self.browser.run("[...document.querySelectorAll('#views button')].find((one) => one.textContent === 'Judge').click()")
        self.browser.until("return document.querySelectorAll('.answers button').length > 2")
        self.browser.press("1")
        page.settle()
        self.assertEqual(server.json("/v1/truth")["count"], 1)

    def test_second_page_at_the_same_time(self):
        first = self.open("/#/shelves?l=Doom")
        here = self.browser.window()
        there = self.browser.new_window()
        self.browser.switch_to(there)
        second = self.open("/#/shelves?l=village")
        for letters, page, window in ((" Animal", second, there), ("Animal Crossing", first, here), ("s", second, there)):
            self.browser.switch_to(window)
            self.browser.run("[...document.querySelectorAll('.label-line input')].at(arguments[0]).focus()", -2 if letters == "s" else -1)
            self.browser.press(*letters)
        for window, page, wanted in ((here, first, {"Doom", "Animal Crossing"}), (there, second, {"village", "Animals"})):
            self.browser.switch_to(window)
            page.settle()
            counts = page.counts()
            self.assertEqual(set(counts), wanted)
            self.assertEqual(sum(counts.values()), MEMES + 1)
        self.browser.command("DELETE", "/window")
        self.browser.switch_to(here)

    def test_question_that_an_older_one_overtook_on_the_way_is_asked_again(self):
        page = self.open("/#/shelves?l=Doom")
        page.settle()
        self.browser.run(
            "const real = window.fetch; let left = 1;"
            "window.fetch = (path, options) => path === '/v1/classify' && options.body.includes('\"village\"') && left-- > 0"
            "  ? Promise.resolve(new Response(JSON.stringify({error: {code: 'overtaken', subject: '', cause: 'a later one came', cure: ''}}), {status: 409}))"
            "  : real(path, options)")
        page.type_labels("village")
        self.browser.until("return [...document.querySelectorAll('.shelf-name')].some((name) => name.textContent === 'village')", seconds=20)

    def test_phone_and_a_thousand_pixels_have_no_sideways_scroll(self):
        page = self.open()
        for width, height in ((390, 800), (1000, 700)):
            self.browser.devtools("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700})
            for view in ("shelves", "search", "judge", "runs", "export", "duplicates", "skips", "statistics"):
                self.browser.run("location.hash = arguments[0]", f"#/{view}?l=Doom&l=Animal+Crossing&q=bells")
                self.browser.until("return document.body.dataset.view === arguments[0]", view)
                page.settle()
                wide = self.browser.run("return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
                self.assertLessEqual(wide, width, view)
        self.browser.devtools("Emulation.setDeviceMetricsOverride", {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False})

    def test_everything_that_can_be_used_has_a_name(self):
        for view in ("shelves", "search", "judge", "runs", "export", "duplicates", "statistics"):
            page = self.open(f"/#/{view}?l=Doom&l=Animal+Crossing&q=bells&picture=1")
            page.settle()
            nameless = self.browser.run(
                "return [...document.querySelectorAll('button, input, select, a[href], [role=listbox], [role=option]')]"
                ".filter((one) => one.getClientRects().length > 0 && one.getAttribute('aria-hidden') !== 'true')"
                ".filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length || one.title))"
                ".map((one) => one.outerHTML)")
            self.assertEqual(nameless, [], view)


def bench(url, edits, second):
    """Milliseconds from a key of a label's line until counts and first shelf are on the screen."""
    browser = Browser(logs=False)
    try:
        server = type("Running", (), {"url": url})
        labels = "&".join("l=" + label.replace(" ", "+") for label in TEN_LABELS)
        windows = [browser.window()] + ([browser.new_window()] if second else [])
        pages = []
        for window in windows:
            browser.switch_to(window)
            pages.append(Page(server, browser, f"/#/shelves?{labels}"))
            pages[-1].settle()
        times = []
        for edit in range(edits):
            browser.switch_to(windows[edit % len(windows)])
            browser.run(
                "performance.clearMarks();"
                "addEventListener('keydown', (event) => window.key_down = event.timeStamp, {capture: true, once: true});"
                "window.drawn = new Promise((tell) => new PerformanceObserver((marks, observer) => {"
                "  for (const mark of marks.getEntriesByName('shelves drawn')) { observer.disconnect(); tell(mark.startTime - key_down); }"
                "}).observe({type: 'mark'}));"
                "const line = document.querySelectorAll('.label-line input')[arguments[0]];"
                "line.focus(); line.setSelectionRange(line.value.length, line.value.length)", edit % len(TEN_LABELS))
            browser.press(str(edit // len(TEN_LABELS) % 10))
            times.append(browser.run("return window.drawn"))
            browser.press("Backspace")
            pages[edit % len(pages)].settle()
    finally:
        browser.close()
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
    print(json.dumps({"type": "page", "edits": len(times), "pages": len(windows), "median_ms": round(statistics.median(times), 1),
                      "p99_ms": round(at(0.99), 1), "largest_ms": round(times[-1], 1)}))


def shot(file):
    with tempfile.TemporaryDirectory(prefix="zeroshelf-page-") as name:
        work = pathlib.Path(name)
        draw_memes(work, 400, 2026)
        run(INDEX, "add", work / "memes.shelf", work / "memes")
        server = PageServer(work / "memes.shelf", folder=work)
        browser = Browser(1280, 800)
        try:
            labels = "l=Doom&l=Animal+Crossing&l=snow&l=a+castle"
            answers = server.json("/v1/classify", {"labels": [{"name": "Doom"}, {"name": "Animal Crossing"}, {"name": "snow"}, {"name": "a castle"}]})
            with_words = next(one for one in answers["labels"][1]["pictures"] if one["ocr"] and one["ocr"]["words"] > 4)
            page = Page(server, browser, f"/#/shelves?{labels}&picture={with_words['row']}")
            browser.until("return document.querySelector('.verdict') !== null")
            page.settle()
            browser.until("return [...document.images].filter((image) => image.dataset.address).every((image) => image.classList.contains('here'))")
            browser.run("document.activeElement.blur()")
            time.sleep(0.5)
            pathlib.Path(file).write_bytes(base64.b64decode(browser.screenshot()))
        finally:
            browser.close()
            server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", metavar="DIR", help="the folder of the programs, e.g. build/release")
    parser.add_argument("--bench", metavar="URL")
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--second", action="store_true", help="with a second page open, in turns")
    parser.add_argument("--shot", metavar="FILE")
    parser.add_argument("tests", nargs="*", help="only these, e.g. PageTest.test_undo_takes_an_answer_back")
    options = parser.parse_args()
    if missing():
        print(f"skipped: {missing()} is not installed (apt-get install chromium chromium-driver)")
        return 77
    if options.bench:
        bench(options.bench, options.edits, options.second)
    elif options.shot:
        shot(options.shot)
    else:
        names = [f"__main__.{name}" for name in options.tests] or ["__main__.PageTest"]
        result = unittest.TextTestRunner(verbosity=2, failfast=False).run(unittest.defaultTestLoader.loadTestsFromNames(names))
        return 0 if result.wasSuccessful() else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
