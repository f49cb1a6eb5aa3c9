"""A client of `zeroshelf-query serve`, with the standard library alone.

    import urllib.request
    urllib.request.urlretrieve("http://127.0.0.1:8642/client.py", "zeroshelf.py")

    from zeroshelf import Zeroshelf
    shelf = Zeroshelf()
    shelf.classify(["cat", "dog"])["labels"]
    import pandas
    pandas.DataFrame(shelf.answers(["cat", "dog"]))

Labels are a list of names, or of {"name": ..., "prompts": [...]}, or one text of names separated by
commas. Further arguments are the members of the
request as GET /openapi.json describes them: fusion, template, none, threshold, classifier, ...
"""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request


class ZeroshelfError(Exception):
    """What the server said is wrong: code, subject, cause and cure; status is that of HTTP."""

    def __init__(self, status, error):
        self.status = status
        self.code = error.get("code", "")
        self.subject = error.get("subject", "")
        self.cause = error.get("cause", "")
        self.cure = error.get("cure", "")
        text = f"{self.subject}: {self.cause}"
        super().__init__(text + (f"; {self.cure}" if self.cure else ""))


class Zeroshelf:
    def __init__(self, url="http://127.0.0.1:8642/", token=None, timeout=300):
        self.url = url.rstrip("/")
        self.token = token
        self.timeout = timeout

    # --- labels --------------------------------------------------------------------------------

    def classify(self, labels=None, **members):
        """Counts, histograms and the first pictures of each label."""
        return self._post("/v1/classify", _labelling(labels, members))

    def shelf(self, label, labels=None, **members):
        """Every picture of one label (None: the unsure ones), page by page."""
        offset = members.pop("offset", 0)
        while True:
            asked = _labelling(labels, {"limit": 500, **members, "label": label, "offset": offset})
            page = self._post("/v1/classify/pictures", asked)
            yield from page["pictures"]
            offset += len(page["pictures"])
            if not page["pictures"] or offset >= page["count"]:
                return

    def answers(self, labels=None, **members):
        """Every picture's answer, one after the other, as the server computes them."""
        body = _labelling(labels, {**members, "format": "jsonl"})
        with self._open("POST", "/v1/classify/answers", body) as lines:
            for line in lines:
                yield json.loads(line)

    def evidence(self, row, labels=None, **members):
        return self._post(f"/v1/pictures/{row}/evidence", _labelling(labels, members))

    # --- search --------------------------------------------------------------------------------

    def search(self, text=None, image=None, **members):
        """image: the bytes of a picture file. Further: row, vector, plus, minus, k, filters, all."""
        asked = dict(members)
        if text is not None:
            asked["text"] = text
        if image is not None:
            asked["image"] = base64.b64encode(image).decode()
        return self._post("/v1/search", asked)["hits"]

    # --- pictures ------------------------------------------------------------------------------

    def picture(self, row):
        return self._get(f"/v1/pictures/{row}")

    def thumbnail(self, row, size=320):
        """The bytes of a JPEG file."""
        return self._read("GET", f"/v1/pictures/{row}/thumbnail?size={int(size)}")

    def file(self, row):
        """The bytes of the picture's file."""
        return self._read("GET", f"/v1/pictures/{row}/file")

    # --- judging -------------------------------------------------------------------------------

    def review(self, labels=None, **members):
        """The answers to look at first. Further: by ("margin", "disagreement"), k."""
        return self._post("/v1/review", _labelling(labels, members))["pictures"]

    def judge(self, picture, label):
        """Says that the picture (a row, or an answer) has the label; None takes it back."""
        said = {"row": picture} if isinstance(picture, int) else {
            "row": picture["row"], "sha256": picture["sha256"]}
        return self._put("/v1/truth", {"pictures": [{**said, "label": label}]})

    def truth(self):
        """Everything that was said, the latest first."""
        offset = 0
        while True:
            page = self._get(f"/v1/truth?limit=1000&offset={offset}")
            yield from page["pictures"]
            offset += len(page["pictures"])
            if not page["pictures"] or offset >= page["count"]:
                return

    def evaluate(self, labels=None, **members):
        return self._post("/v1/evaluate", _labelling(labels, members))

    def calibrate(self, labels=None, **members):
        return self._post("/v1/calibrate", _labelling(labels, members))

    def train(self, labels=None, **members):
        """Learns from what was said; ask classify(classifier=...) with what it keeps."""
        return self._post("/v1/train", _labelling(labels, members))

    # --- what is kept --------------------------------------------------------------------------

    def runs(self):
        return self._get("/v1/runs")

    def keep(self, name, labels=None, **members):
        return self._put(f"/v1/runs/{urllib.parse.quote(name, safe='')}",
                         _labelling(labels, members))

    def diff(self, before, after, **members):
        """Of two kept runs by their names, or of labels, or of labellings ({"labels": ..., ...})."""
        return self._post("/v1/diff", {"before": _side(before), "after": _side(after), **members})

    def export(self, name, labels=None, wait=True, **members):
        """Into the server's export folder. Further: format, mode, min_score, only, ..."""
        job = self._post("/v1/export", _labelling(labels, {**members, "name": name}))
        return self.wait(job) if wait else job

    def undo(self, name, wait=True):
        job = self._post("/v1/undo", {"name": name})
        return self.wait(job) if wait else job

    def wait(self, job):
        while job["state"] == "running":
            time.sleep(0.2)
            job = self._get(f"/v1/jobs/{job['id']}")
        return job

    # --- the collection ------------------------------------------------------------------------

    def collection(self):
        return self._get("/v1/collection")

    def stats(self):
        return self._get("/v1/stats")

    def duplicates(self, **parameters):
        return self._get("/v1/duplicates?" + urllib.parse.urlencode(parameters))

    def skips(self, **parameters):
        return self._get("/v1/skips?" + urllib.parse.urlencode(parameters))

    # --- requests ------------------------------------------------------------------------------

    def _open(self, method, path, body=None):
        headers = {"Accept": "*/*"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            return urllib.request.urlopen(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                try:
                    told = json.loads(error.read())["error"]
                except (ValueError, KeyError):
                    told = {"cause": str(error)}
            raise ZeroshelfError(error.code, told) from None

    def _read(self, method, path, body=None):
        with self._open(method, path, body) as answer:
            return answer.read()

    def _get(self, path):
        return json.loads(self._read("GET", path))

    def _post(self, path, body):
        return json.loads(self._read("POST", path, body))

    def _put(self, path, body):
        return json.loads(self._read("PUT", path, body))


def _labelling(labels, members):
    asked = dict(members)
    if labels is not None:
        asked["labels"] = _label_list(labels)
    return asked


def _label_list(labels):
    if isinstance(labels, str):
        labels = [name.strip() for name in labels.split(",") if name.strip()]
    if isinstance(labels, (bytes, dict)) or not hasattr(labels, "__iter__"):
        raise TypeError(f"labels: a list of names, or names separated by commas; not {labels!r}")
    asked = [{"name": label} if isinstance(label, str) else label for label in labels]
    for label in asked:
        if not isinstance(label, dict):
            raise TypeError(f'labels: names, or {{"name": ..., "prompts": [...]}}; not {label!r}')
    return asked


def _side(side):
    """One side of diff: a kept run's name, labels, or the members of a labelling."""
    if isinstance(side, str):
        return side
    if isinstance(side, dict):
        return _labelling(side.get("labels"), side)
    return _labelling(side, {})
