#!/usr/bin/env python3
"""Tests of models/fetch.sh against a server of our own on 127.0.0.1, with small files of random bytes.

usage: fetch_test.py FETCH.SH [NAME...]      runs the tests whose names contain one of NAME

The checksums that the script pins stay as they are: OpenAI's way of installing is tested with further names
(ZEROSHELF_FETCH_TABLE), and a pinned name with a file that must be refused.
"""

import hashlib
import http.server
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

SKIPPED = 77
VOCABULARY = "bpe_simple_vocab_16e6.txt.gz"
VOCABULARY_PATH = "/openai/CLIP/main/clip/" + VOCABULARY
LIMIT_S = 300  # for all tests together; they take some ten seconds on an idle machine
COMMIT = "0123456789abcdef0123456789abcdef01234567"
random_bytes = random.Random(20210105).randbytes


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Resource:
    """A file on the server, and what goes wrong with it."""

    def __init__(self, body, ranges=True, cuts=(), statuses=(), headers=None, redirect=None, announced=None, head=True,
                 delay_s=0.0, endless=False):
        self.body = body
        self.ranges = ranges  # does the server honour Range?
        self.cuts = list(cuts)  # the next GETs break off after so many bytes
        self.statuses = list(statuses)  # the next requests are answered with these
        self.headers = headers or {}
        self.redirect = redirect
        self.announced = announced  # a Content-Length that HEAD claims
        self.head = head  # is HEAD allowed?
        self.delay_s = delay_s
        self.endless = endless  # a GET does not end, and does not say how long it is
        self.sent = 0  # bytes of that


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, length, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()

    def do_HEAD(self):
        self.handle_request(with_body=False)

    def do_GET(self):
        self.handle_request(with_body=True)

    def handle_request(self, with_body):
        server = self.server
        with server.lock:
            server.requests.append((self.command, self.path, self.headers.get("Range")))
            resource = server.resources.get(self.path)
            status = resource.statuses.pop(0) if resource and resource.statuses else None
            cut = resource.cuts.pop(0) if resource and resource.cuts and with_body else None
        if resource is None:
            return self.answer(404, 0)
        if status is not None:
            return self.answer(status, 0)
        if not with_body and not resource.head:
            return self.answer(405, 0)
        if resource.redirect:
            return self.answer(302, 0, {**resource.headers, "Location": resource.redirect})
        time.sleep(resource.delay_s)
        if not with_body:
            return self.answer(200, resource.announced or len(resource.body), resource.headers)
        self.send_body(resource, cut)

    def send_body(self, resource, cut):
        if resource.endless:
            return self.send_without_end(resource)
        body, total = resource.body, len(resource.body)
        wanted = self.headers.get("Range")
        if wanted and resource.ranges:
            first, last = wanted.removeprefix("bytes=").split("-")
            if int(first) >= total:
                return self.answer(416, 0, {"Content-Range": f"bytes */{total}"})
            end = min(int(last) + 1, total) if last else total
            body = body[int(first):end]
            self.answer(206, len(body), {**resource.headers, "Content-Range": f"bytes {first}-{end - 1}/{total}"})
        else:
            self.answer(200, total, resource.headers)
        self.wfile.write(body if cut is None else body[:cut])
        self.close_connection = True


    def send_without_end(self, resource):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while resource.sent < 200_000_000:
                self.wfile.write(bytes(100_000))
                resource.sent += 100_000
        except OSError:
            pass


class Run:
    def __init__(self, process, stdout, stderr):
        self.code, self.stdout, self.stderr = process.returncode, stdout, stderr


class World:
    """A server, an empty home, and the script."""

    def __init__(self, script):
        self.script = script
        self.root = Path(tempfile.mkdtemp(prefix="zeroshelf-fetch-"))
        self.to = self.root / "models"
        self.table = self.root / "table"
        self.table.write_text("")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.resources, self.server.requests, self.server.lock = {}, [], threading.Lock()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.root)

    def serve(self, path, body, **faults):
        resource = self.server.resources[path] = Resource(body, **faults)
        return resource

    def serve_openai(self, name="tiny", size=300_000, table=True, **faults):
        """A checkpoint of OpenAI's kind and its vocabulary; adds the name to the table. -> bytes of the weights"""
        weights, vocabulary = random_bytes(size), random_bytes(5_000)
        self.serve(f"/clip/{sha256(weights)}/{name}.pt", weights, **faults)
        self.serve(VOCABULARY_PATH, vocabulary)
        if table:
            with self.table.open("a") as file:
                file.write(f"{name} openai clip/{{}}/{name}.pt {sha256(weights)} 1 {sha256(vocabulary)}\n")
        return weights

    def serve_repository(self, repository="owner/tiny-clip", revision="main", weights_name="model.safetensors",
                         configuration="config.json", vocabulary=("vocab.json", "merges.txt"), linked=True,
                         pointer=False, commit=COMMIT, **faults):
        """A repository as Hugging Face serves it: the weights by a redirect that names their checksum. -> weights"""
        weights = random_bytes(300_000)
        said = {"X-Repo-Commit": commit} if commit else {}
        for where in {revision.replace("/", "%2F"), commit or revision}:
            base = f"/{repository}/resolve/{where}"
            for file in (configuration, "preprocessor_config.json", *vocabulary):
                self.serve(f"{base}/{file}", f"{file} of {repository}".encode(), headers=said)
            linked_headers = {"X-Linked-Etag": f'"{sha256(weights)}"', "X-Linked-Size": str(len(weights))}
            self.serve(f"{base}/{weights_name}", b"", redirect=f"{self.url}/cdn/weights",
                       headers={**said, **(linked_headers if linked else {})})
            if pointer:
                text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(weights)}\nsize {len(weights)}\n"
                self.serve(f"/{repository}/raw/{where}/{weights_name}", text.encode())
        self.serve("/cdn/weights", weights, **faults)
        return weights

    def start(self, *arguments, to=True, **environment):
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"), "TMPDIR": str(self.root), "LC_ALL": "C",
                 "ZEROSHELF_OPENAI_URL": self.url, "ZEROSHELF_GITHUB_URL": self.url, "ZEROSHELF_HF_URL": self.url,
                 "ZEROSHELF_FETCH_TABLE": str(self.table), "ZEROSHELF_FETCH_RETRIES": "2",
                 "ZEROSHELF_FETCH_DELAY": "0.01", "NO_PROXY": "*", **environment}
        flags = ["--to", str(self.to)] if to else []
        return subprocess.Popen(["bash", self.script, *flags, *arguments], env=clean, text=True, cwd=self.root,
                                start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run(self, *arguments, **options):
        process = self.start(*arguments, **options)
        return finish(process)

    def requests(self, suffix="", method="GET"):
        return [request for request in self.server.requests if request[0] == method and request[1].endswith(suffix)]

    def forget_requests(self):
        self.server.requests.clear()

    def installed(self):
        """Everything below the target folder, but the lock."""
        if not self.to.exists():
            return []
        return sorted(str(path.relative_to(self.to)) for path in self.to.rglob("*") if path.name != ".fetch.lock")


def finish(process):
    try:
        stdout, stderr = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise AssertionError("the script does not end") from None
    return Run(process, stdout, stderr)


def check(condition, *shown):
    if not condition:
        raise AssertionError("\n".join(str(item) for item in shown))


def check_done(run):
    check(run.code == 0, f"exit code {run.code}", run.stdout, run.stderr)
    check(run.stderr == "", "something on stderr, which is no terminal:", run.stderr)


def check_refused(run, *words):
    check(run.code == 2, f"exit code {run.code}", run.stdout, run.stderr)
    check(run.stderr.startswith("fetch.sh: ") and run.stderr.count("\n") == 1 and "; " in run.stderr, run.stderr)
    for word in words:
        check(word in run.stderr, f"'{word}' is not in:", run.stderr)


TESTS = []


def test(function):
    TESTS.append(function)
    return function


# ---- What is known


@test
def list_and_help_download_nothing(world):
    listed = world.run("--list", to=False)
    check_done(listed)
    for name in ("ViT-B-32", "ViT-L-14-336px", "clip-vit-large-patch14", "CLIP-ViT-B-32-laion2B-s34B-b79K"):
        check(name in listed.stdout, listed.stdout)
    helped = world.run("--help", to=False)
    check_done(helped)
    check("What a checksum proves" in helped.stdout, helped.stdout)
    check(not world.server.requests and not world.to.exists())


@test
def every_pinned_openai_path_carries_its_checksum(world):
    listed = world.run("--list", to=False)
    paths = [line.split()[-1] for line in listed.stdout.splitlines() if line.startswith("ViT-")]
    check(len(paths) == 4, listed.stdout)
    for path in paths:
        digest, file = path.split("/")[-2:]
        check(len(digest) == 64 and file.endswith(".pt"), path)


@test
def unknown_names_and_options_are_refused(world):
    check_refused(world.run("ViT-Z-99"), "ViT-Z-99", "unknown model", "--list")
    check_refused(world.run("hf:../x"), "unknown model")
    check_refused(world.run("hf:owner/.."), "unknown model")
    check_refused(world.run("--frobnicate"), "unknown option")
    check_refused(world.run("--sha256", "abc", "hf:owner/x"), "not a SHA-256")
    check_refused(world.run("ViT-B-32", "ViT-B-16"), "a second name")
    check_refused(world.run("--sha256", "0" * 64, "ViT-B-32"), "its published SHA-256 is 40d36571")
    check(world.run(to=False).code == 2)
    check(not world.server.requests)


@test
def the_extra_table_cannot_redefine_a_built_in_name(world):
    world.table.write_text(f"# mine\nViT-B-32 openai x.pt {'0' * 64}\n")
    check_refused(world.run("ViT-B-32"), f"{world.table}:2", "built in")
    world.table.write_text("mine openai x.pt 123\n")
    check_refused(world.run("mine"), f"{world.table}:1", "not a SHA-256")
    check_refused(world.run("mine", ZEROSHELF_FETCH_TABLE="/nowhere"), "/nowhere", "cannot be read")
    check(not world.server.requests)


# ---- OpenAI's files


@test
def a_checkpoint_is_installed_with_its_vocabulary_beside_it(world):
    weights = world.serve_openai()
    run = world.run("tiny")
    check_done(run)
    check(world.installed() == [VOCABULARY, "tiny.pt"], world.installed())
    check((world.to / "tiny.pt").read_bytes() == weights)
    check(f"zeroshelf-index add COLLECTION PATH --model {world.to}/tiny.pt" in run.stdout, run.stdout)


@test
def the_folder_is_where_model_names_are_looked_for(world):
    world.serve_openai()
    first, second, data = world.root / "first", world.root / "second", world.root / "data"
    for folder, environment in (
            (first, {"ZEROSHELF_MODELS": f":{first}:{second}", "XDG_DATA_HOME": str(data)}),
            (data / "zeroshelf/models", {"XDG_DATA_HOME": str(data)}),
            (world.root / "home/.local/share/zeroshelf/models", {})):
        run = world.run("tiny", to=False, **environment)
        check_done(run)
        check((folder / "tiny.pt").is_file(), run.stdout)
        check(run.stdout.endswith("--model tiny\n"), run.stdout)
    check_refused(world.run("tiny", to=False, HOME=""), "HOME", "--to")


@test
def a_pinned_name_refuses_other_bytes(world):
    path = "/clip/models/40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt"
    world.serve(path, b"something else")
    world.serve(VOCABULARY_PATH, b"another vocabulary")
    check_refused(world.run("ViT-B/32"), VOCABULARY_PATH, "924691ac288e5440")
    check(world.installed() == [], world.installed())


@test
def a_pinned_folder_refuses_other_weights(world):
    pinned = "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb"
    faults = {"repository": "openai/clip-vit-large-patch14", "revision": "32bd64288804d66eefd0ccbe215aa642df71cc41"}
    world.serve_repository(**faults)  # the server itself names another checksum
    check_refused(world.run("hf:openai/clip-vit-large-patch14"), pinned)
    check(not world.requests("/cdn/weights"), world.server.requests)
    world.serve_repository(**faults, linked=False)
    check_refused(world.run("clip-vit-large-patch14"), pinned, "was removed")
    check(not (world.to / "clip-vit-large-patch14").exists())


@test
def wrong_bytes_leave_nothing_installed(world):
    world.serve_openai()
    path = next(path for path in world.server.resources if path.endswith("tiny.pt"))
    world.serve(path, random_bytes(300_000))
    check_refused(world.run("tiny"), world.url + path, "SHA-256", "was removed", "run this again")
    check(world.installed() == [VOCABULARY], world.installed())


@test
def an_installed_model_is_verified_and_not_downloaded_again(world):
    world.serve_openai()
    check_done(world.run("tiny"))
    world.forget_requests()
    run = world.run("tiny")
    check_done(run)
    check("already installed" in run.stdout and "--model" in run.stdout, run.stdout)
    check(not world.server.requests, world.server.requests)


@test
def a_file_that_is_not_the_model_is_not_overwritten(world):
    world.serve_openai()
    world.to.mkdir()
    (world.to / "tiny.pt").write_bytes(b"my own")
    check_refused(world.run("tiny"), str(world.to / "tiny.pt"), "move it away")
    check((world.to / "tiny.pt").read_bytes() == b"my own")
    check(not world.server.requests, world.server.requests)


# ---- Transfers that break


@test
def a_cut_transfer_goes_on_where_it_stopped(world):
    weights = world.serve_openai(cuts=[100_000, 50_000])
    check_done(world.run("tiny"))
    ranges = [wanted for _, _, wanted in world.requests("tiny.pt")]
    check(ranges == [None, "bytes=100000-", "bytes=150000-"], ranges)
    check((world.to / "tiny.pt").read_bytes() == weights)


@test
def a_later_run_goes_on_where_an_earlier_one_stopped(world):
    weights = world.serve_openai(cuts=[100_000])
    check_refused(world.run("tiny", ZEROSHELF_FETCH_RETRIES="0"), "tried 1 times", "kept")
    check(world.installed() == [VOCABULARY, "tiny.pt.part"], world.installed())
    world.forget_requests()
    check_done(world.run("tiny"))
    check([wanted for _, _, wanted in world.requests("tiny.pt")] == ["bytes=100000-"], world.server.requests)
    check((world.to / "tiny.pt").read_bytes() == weights)


@test
def a_server_without_ranges_starts_over(world):
    weights = world.serve_openai(cuts=[100_000], ranges=False)
    check_done(world.run("tiny"))
    check((world.to / "tiny.pt").read_bytes() == weights)
    check(world.installed() == [VOCABULARY, "tiny.pt"], world.installed())


@test
def a_server_without_ranges_that_always_cuts_is_given_up(world):
    world.serve_openai(cuts=[100_000] * 99, ranges=False)
    check_refused(world.run("tiny"), "tiny.pt")
    check(len(world.requests("tiny.pt")) < 12, world.server.requests)


@test
def a_part_that_is_too_long_starts_over(world):
    weights = world.serve_openai()
    world.to.mkdir()
    (world.to / "tiny.pt.part").write_bytes(random_bytes(400_000))
    check_done(world.run("tiny"))
    check((world.to / "tiny.pt").read_bytes() == weights)


@test
def a_complete_part_is_installed_without_a_transfer(world):
    weights = world.serve_openai()
    world.to.mkdir()
    (world.to / "tiny.pt.part").write_bytes(weights)
    check_done(world.run("tiny"))
    check(not world.requests("tiny.pt"), world.server.requests)


@test
def a_part_of_another_file_is_not_installed(world):
    weights = world.serve_openai()
    world.to.mkdir()
    (world.to / "tiny.pt.part").write_bytes(random_bytes(1_000))
    check_refused(world.run("tiny"), "SHA-256")
    check_done(world.run("tiny"))
    check((world.to / "tiny.pt").read_bytes() == weights)


@test
def a_busy_server_is_asked_again(world):
    world.serve_openai(statuses=[503, 500])  # HEAD, then GET
    check_done(world.run("tiny"))


@test
def a_server_that_stays_down_is_given_up(world):
    world.serve_openai(statuses=[500] * 99)
    check_refused(world.run("tiny"), "HTTP 500", "tried 3 times")
    check(world.installed() == [VOCABULARY], world.installed())


@test
def no_server_is_given_up(world):
    world.serve_openai()
    check_refused(world.run("tiny", ZEROSHELF_GITHUB_URL="http://127.0.0.1:9"), "http://127.0.0.1:9/", "tried 3 times")


@test
def a_missing_file_is_not_asked_for_again(world):
    world.serve_openai()
    del world.server.resources[VOCABULARY_PATH]
    check_refused(world.run("tiny"), VOCABULARY_PATH, "no such file")
    check(len(world.requests(VOCABULARY)) == 1, world.server.requests)


@test
def too_little_space_is_said_before_the_transfer(world):
    world.serve_openai(announced=10**16)
    check_refused(world.run("tiny"), str(world.to), "MB are needed", "--to")
    check(not world.requests("tiny.pt"), world.server.requests)


@test
def a_server_without_head_is_good_enough(world):
    world.serve_openai(head=False)
    check_done(world.run("tiny"))


@test
def two_runs_at_once_download_once(world):
    weights = world.serve_openai(delay_s=0.3)
    runs = [finish(process) for process in [world.start("tiny"), world.start("tiny")]]
    for run in runs:
        check_done(run)
    check(len(world.requests("tiny.pt")) == 1, world.server.requests)
    check((world.to / "tiny.pt").read_bytes() == weights)
    check(sorted(run.stdout.split(":")[0] for run in runs) == ["already installed", "installed"])


@test
def a_killed_run_leaves_nothing_that_looks_installed(world):
    weights = world.serve_repository(delay_s=1.0)
    process = world.start("hf:owner/tiny-clip")
    deadline = time.monotonic() + 5
    while not world.requests("weights") and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    check(not (world.to / "tiny-clip").exists(), world.installed())
    check_done(world.run("hf:owner/tiny-clip"))
    check((world.to / "tiny-clip/model.safetensors").read_bytes() == weights)


@test
def a_folder_that_cannot_be_made_is_refused(world):
    world.serve_openai()
    (world.root / "file").write_text("")
    check_refused(world.run("tiny", "--to", str(world.root / "file/models")), "cannot be made", "--to")


# ---- Hugging Face folders


@test
def a_repository_is_installed_as_a_folder_of_its_name(world):
    weights = world.serve_repository()
    run = world.run("hf:owner/tiny-clip")
    check_done(run)
    files = ["SHA256SUMS", "config.json", "merges.txt", "model.safetensors", "preprocessor_config.json", "vocab.json"]
    check(world.installed() == ["tiny-clip"] + ["tiny-clip/" + file for file in files], world.installed())
    check((world.to / "tiny-clip/model.safetensors").read_bytes() == weights)
    check("the server's" in run.stdout, run.stdout)
    check((world.to / "tiny-clip/SHA256SUMS").read_text().startswith(f"# owner/tiny-clip main {COMMIT}\n"))
    check(all(f"/resolve/{COMMIT}/" in path or path == "/cdn/weights" for _, path, _ in world.requests()),
          "files of a branch that may move:", world.server.requests)


@test
def an_installed_folder_is_verified_and_not_downloaded_again(world):
    world.serve_repository()
    check_done(world.run("hf:owner/tiny-clip"))
    world.forget_requests()
    for name in ("hf:owner/tiny-clip", "hf:owner/tiny-clip@main", f"hf:owner/tiny-clip@{COMMIT}"):
        run = world.run(name)
        check_done(run)
        check("already installed" in run.stdout, run.stdout)
    check_refused(world.run("hf:owner/tiny-clip@v2"), "it holds the revision main")
    check_refused(world.run("hf:other/tiny-clip"), "it holds owner/tiny-clip")
    check_refused(world.run("hf:owner/tiny-clip", "--sha256", "0" * 64), "do not have the SHA-256")
    with (world.to / "tiny-clip/vocab.json").open("a") as file:
        file.write("x")
    check_refused(world.run("hf:owner/tiny-clip"), "not as it was installed")
    check(not world.server.requests, world.server.requests)


@test
def a_folder_of_somebody_else_is_left_alone(world):
    world.serve_repository()
    (world.to / "tiny-clip").mkdir(parents=True)
    check_refused(world.run("hf:owner/tiny-clip"), "was not installed by this script")
    check(world.installed() == ["tiny-clip"], world.installed())


@test
def wrong_weights_make_no_folder(world):
    world.serve_repository()
    world.serve("/cdn/weights", random_bytes(300_000))
    check_refused(world.run("hf:owner/tiny-clip"), "SHA-256", "was removed")
    check(not (world.to / "tiny-clip").exists())
    check(not any(".safetensors" in path for path in world.installed()), world.installed())


@test
def a_cut_folder_goes_on_where_it_stopped(world):
    weights = world.serve_repository(cuts=[100_000])
    check_refused(world.run("hf:owner/tiny-clip", ZEROSHELF_FETCH_RETRIES="0"), "kept")
    check(not (world.to / "tiny-clip").exists())
    world.forget_requests()
    check_done(world.run("hf:owner/tiny-clip"))
    check([wanted for _, _, wanted in world.requests("/cdn/weights")] == ["bytes=100000-"], world.server.requests)
    check((world.to / "tiny-clip/model.safetensors").read_bytes() == weights)
    check([path for path in world.installed() if ".part" in path] == [], world.installed())


@test
def a_pinned_checksum_is_compared_before_the_transfer(world):
    weights = world.serve_repository()
    check_refused(world.run("hf:owner/tiny-clip", "--sha256", "0" * 64), sha256(weights), "0" * 64)
    check(not world.requests("/cdn/weights"), world.server.requests)
    run = world.run("hf:owner/tiny-clip", "--sha256", sha256(weights).upper())
    check_done(run)
    check("pinned" in run.stdout, run.stdout)


@test
def the_pointer_says_the_checksum_where_no_header_does(world):
    weights = world.serve_repository(linked=False, pointer=True)
    check_done(world.run("hf:owner/tiny-clip"))
    check((world.to / "tiny-clip/model.safetensors").read_bytes() == weights)


@test
def weights_without_any_checksum_need_one(world):
    weights = world.serve_repository(linked=False)
    check_refused(world.run("hf:owner/tiny-clip"), "does not say its SHA-256", "--sha256")
    check_done(world.run(f"--sha256={sha256(weights)}", "hf:owner/tiny-clip"))


@test
def a_revision_may_have_a_slash(world):
    world.serve_repository(revision="refs/pr/7", commit=None)
    check_done(world.run("hf:owner/tiny-clip@refs/pr/7"))
    check(world.requests("/owner/tiny-clip/resolve/refs%2Fpr%2F7/config.json"), world.server.requests)


@test
def openclip_repositories_are_taken_too(world):
    world.serve_repository(weights_name="open_clip_model.safetensors", configuration="open_clip_config.json",
                           vocabulary=("tokenizer.json",))
    check_done(world.run("hf:owner/tiny-clip"))
    files = ["SHA256SUMS", "open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json"]
    check(world.installed() == ["tiny-clip"] + ["tiny-clip/" + file for file in files], world.installed())


@test
def pickled_weights_are_taken_where_there_are_no_others(world):
    world.serve_repository(weights_name="pytorch_model.bin",
                           vocabulary=("sentencepiece.bpe.model", "tokenizer_config.json"))
    check_done(world.run("hf:owner/tiny-clip"))
    files = ["SHA256SUMS", "config.json", "preprocessor_config.json", "pytorch_model.bin", "sentencepiece.bpe.model",
             "tokenizer_config.json"]
    check(world.installed() == ["tiny-clip"] + ["tiny-clip/" + file for file in files], world.installed())
    check("already installed" in world.run("hf:owner/tiny-clip").stdout)


@test
def every_built_in_name_is_described(world):
    lines = world.run("--list", to=False).stdout.splitlines()
    names = [line.split()[0] for line in lines if "http" in line]
    check(len(names) >= 25 and {"siglip2-base-patch16-256", "RN50x64", "MobileCLIP2-L-14"} <= set(names), names)
    for i, line in enumerate(lines):
        if "http" in line:
            check(lines[i + 1].startswith("    ") and "English" in line or " many " in line or " 48 " in line, line)
    check(any(line.startswith("Which?") for line in lines), lines)


@test
def a_repository_without_weights_is_refused(world):
    world.serve_repository(weights_name="tf_model.h5")
    check_refused(world.run("hf:owner/tiny-clip"), "no CLIP weights at the revision", "refs/pr/N")
    check_refused(world.run("openai/clip-vit-base-patch16"), "ViT-B-16 has the same weights")


@test
def a_repository_without_a_vocabulary_makes_no_folder(world):
    world.serve_repository(vocabulary=("vocab.json",))
    check_refused(world.run("hf:owner/tiny-clip"), "vocab.json with merges.txt, tokenizer.json or SentencePiece model")
    check(not (world.to / "tiny-clip").exists())


@test
def a_private_repository_is_said_to_be_one(world):
    world.serve_repository()
    world.server.resources["/owner/tiny-clip/resolve/main/model.safetensors"].statuses = [401] * 9
    check_refused(world.run("hf:owner/tiny-clip"), "HTTP 401", "private")


@test
def the_extra_table_pins_a_folder(world):
    weights = world.serve_repository()
    world.table.write_text(f"mine hf owner/tiny-clip@main {sha256(weights)}\n")
    run = world.run("mine")
    check_done(run)
    check("pinned" in run.stdout and (world.to / "mine/config.json").is_file(), run.stdout)


# ---- Hostile servers


@test
def no_more_is_taken_than_the_server_said(world):
    weights = world.serve_openai()
    path = next(path for path in world.server.resources if path.endswith("tiny.pt"))
    resource = world.serve(path, weights, endless=True)
    check_refused(world.run("tiny"), "more than the 300000 bytes", "right server")
    check(resource.sent < 20_000_000, resource.sent)
    check(world.installed() == [VOCABULARY], world.installed())
    world.serve_repository(endless=True)
    check_refused(world.run("hf:owner/tiny-clip"), "more than the 300000 bytes")
    check(not (world.to / "tiny-clip").exists())


@test
def small_files_and_headers_have_limits_of_their_own(world):
    world.serve_repository()
    resource = world.serve(f"/owner/tiny-clip/resolve/{COMMIT}/vocab.json", b"", endless=True)
    check_refused(world.run("hf:owner/tiny-clip", ZEROSHELF_FETCH_LIMIT="1000000"), "more than the 1000000 bytes")
    check(resource.sent < 20_000_000, resource.sent)
    check(not (world.to / "tiny-clip").exists())


@test
def a_size_above_the_limit_is_refused_before_the_transfer(world):
    world.serve_openai()
    check_refused(world.run("tiny", ZEROSHELF_FETCH_LIMIT="200000"), "announces 300000 bytes", "at most 200000")
    check_refused(world.run("tiny", ZEROSHELF_FETCH_LIMIT="much"), "is no number of bytes")
    check(not [path for _, path, _ in world.requests("tiny.pt")], world.server.requests)


@test
def nothing_of_an_answer_is_shown_raw(world):
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u00e9"
    weights = world.serve_repository()
    del weights
    for faults in ({"redirect": f"http://127.0.0.1:1/{evil}"}, {"redirect": f"http://{evil}.invalid/x"},
                   {"redirect": f"gopher://{evil}"}, {"headers": {"X-Linked-Etag": evil, "X-Repo-Commit": evil}},
                   {"statuses": [418] * 9}):
        world.serve("/owner/tiny-clip/resolve/main/model.safetensors", b"", **faults)
        run = world.run("hf:owner/tiny-clip", ZEROSHELF_FETCH_RETRIES="0")
        check(run.code == 2, faults, run.code, run.stderr)
        check(all(" " <= c <= "~" for c in run.stderr.removesuffix("\n")), faults, ascii(run.stderr))
        check(run.stdout == "", run.stdout)


def run_one(function, script):
    world = World(script)
    try:
        function(world)
        return None
    except Exception:  # a failure is what we report
        return traceback.format_exc(limit=-2)
    finally:
        world.close()


def give_up(*_):
    print(f"FAILED  not done after {LIMIT_S} s", flush=True)
    os._exit(1)


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    if not shutil.which("curl") or not shutil.which("flock"):
        print("skipped: no curl or no flock")
        return SKIPPED
    script = str(Path(sys.argv[1]).resolve())
    chosen = [function for function in TESTS
              if len(sys.argv) == 2 or any(name in function.__name__ for name in sys.argv[2:])]
    failed = 0
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT_S)
    for function in chosen:
        started = time.monotonic()
        failure = run_one(function, script)
        failed += failure is not None
        print(f"{'FAILED' if failure else 'passed'}  {function.__name__}  {time.monotonic() - started:.2f} s", flush=True)
        if failure:
            print(failure)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
