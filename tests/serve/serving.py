"""A drawn collection, a server of it, and what talks to it: also in ways that no client should."""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build/release"  # where the environment names none
INDEX = os.environ.get("ZEROSHELF_INDEX_PROGRAM", str(BUILD / "indexer/zeroshelf-index"))
QUERY = os.environ.get("ZEROSHELF_QUERY_PROGRAM", str(BUILD / "query/zeroshelf-query"))
DRAW = os.environ.get("ZEROSHELF_DRAW_PROGRAM", str(BUILD / "models/train/zeroshelf-draw"))
SHARED = pathlib.Path(os.environ.get("ZEROSHELF_SHARED") or pathlib.Path(__file__).resolve().parents[3] / "shared")

# For mpirun: on this machine alone, in fewer cores than there are processes, by root as well.
LAUNCHER = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_pml": "ob1",
    "OMPI_MCA_coll": "basic,libnbc,self", "OMPI_MCA_btl": "self,vader,tcp",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_btl_tcp_if_include": "lo",
    "OMPI_MCA_oob_tcp_if_include": "lo", "OMPI_MCA_plm": "isolated", "PMIX_MCA_gds": "hash",
}


def run(*arguments, ok=(0,)):
    done = subprocess.run([str(one) for one in arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode in ok, (arguments, done.returncode, done.stderr)
    return done


def draw(folder, count, seed=7):
    run(DRAW, "memes", folder, "--count", count, "--seed", seed)


def make_collection(folder, count=60):
    """FOLDER/pictures and FOLDER/shelf; the bundled model's."""
    draw(folder / "pictures", count)
    (folder / "pictures" / "no-picture.jpg").write_text("not a picture")
    run(INDEX, "add", folder / "shelf", folder / "pictures", ok=(0, 3))
    return folder / "shelf"


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


class Server:
    def __init__(self, *collections, flags=(), folder=None, before=()):
        """before: words before the program's, of a launcher"""
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-"))
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        self.stderr_file = open(self.folder / "stderr", "w+")
        self.process = subprocess.Popen(
            [*before, QUERY, "serve", *map(str, collections), "--listen", "127.0.0.1:0", "--export-to",
             str(self.folder / "exports"), *map(str, flags)],
            stdout=subprocess.PIPE, stderr=self.stderr_file, text=True, env=environment, cwd=self.folder)
        line = self.process.stdout.readline()
        assert line, self.stderr()
        self.first_line = json.loads(line)
        self.url = self.first_line["url"]
        self.port = int(self.url.rstrip("/").rsplit(":", 1)[1])
        self.host = f"127.0.0.1:{self.port}"

    def stderr(self):
        self.stderr_file.seek(0)
        return self.stderr_file.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.stderr_file.close()
        return code

    def ask(self, method, path, body=None, headers=None, timeout=120):
        """body: bytes as they are, anything else as JSON."""
        sent = {"Host": self.host}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent["Content-Type"] = "application/json"
        if isinstance(body, str):
            body = body.encode()
        sent.update(headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None or method in ("POST", "PUT"):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def raw(self, text, wait=10.0, half_close=False):
        """Sends bytes, and gives all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            got = b""
            try:
                connection.sendall(text if isinstance(text, bytes) else text.encode())
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it need not read all; what it said may be there
            try:
                while piece := connection.recv(65536):
                    got += piece
            except (socket.timeout, ConnectionResetError):
                pass
            return got

    def wait_until(self, is_true, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if is_true():
                return
            time.sleep(0.1)
        raise AssertionError("it did not happen in time")
