"""A writer adds, removes and compacts while clients ask: no error, and answers of committed states only.
Usage: soak_test.py [--seconds N] [--clients N]"""

import argparse
import pathlib
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import serving  # noqa: E402

LABELLING = {"labels": [{"name": "Doom"}, {"name": "Animal Crossing"}]}


class Writer:
    """Whole batches come and go, so a committed state has a multiple of a batch's pictures."""

    BATCH = 8

    def __init__(self, folder, shelf):
        self.folder = folder
        self.shelf = shelf
        self.rounds = 0

    def round(self):
        batch = self.folder / "batches" / str(self.rounds % 5)
        if batch.exists():
            shutil.rmtree(batch)
            serving.run(serving.INDEX, "forget", self.shelf, batch)
        else:
            serving.draw(batch, self.BATCH, seed=1000 + self.rounds)
            serving.run(serving.INDEX, "add", self.shelf, batch, ok=(0, 3))
        if self.rounds % 4 == 3:
            serving.run(serving.INDEX, "compact", self.shelf)
        self.rounds += 1


class Client(threading.Thread):
    def __init__(self, server, number, end):
        super().__init__()
        self.server, self.number, self.end = server, number, end
        self.asked = 0
        self.faults = []

    def run(self):
        while time.monotonic() < self.end and not self.faults:
            try:
                self.turn()
            except Exception as error:  # noqa: BLE001: whatever it is, it is a fault
                self.faults.append(repr(error))

    def expect(self, holds, told):
        if not holds:
            self.faults.append(str(told)[:500])

    def turn(self):
        labels = LABELLING if self.asked % 3 else {"labels": [{"name": f"label {self.asked} {self.number}"},
                                                              {"name": "other"}]}
        answer = self.server.ask("POST", "/v1/classify", {**labels, "per_label": 5})
        self.asked += 1
        self.expect(answer.status == 200, answer.body)
        if answer.status != 200:
            return
        told = answer.json()
        counted = sum(label["count"] for label in told["labels"]) + told["unsure"]
        self.expect(counted == told["pictures"], told)
        self.expect(told["pictures"] % Writer.BATCH == 0, f"{told['pictures']} pictures are no committed state")
        pictures = [picture for label in told["labels"] for picture in label["pictures"]]
        for picture in pictures[:2]:
            seen = self.server.ask("GET", f"/v1/pictures/{picture['row']}?sha256={picture['sha256']}")
            # It may have been removed since: then it is said so.
            self.expect(seen.status in (200, 404), seen.body)
            if seen.status == 200:
                self.expect(seen.json()["sha256"] == picture["sha256"], seen.body)
        found = self.server.ask("POST", "/v1/search", {"text": "skull and fire", "all": True, "k": 5})
        self.expect(found.status == 200 and len(found.json()["hits"]) == 5, found.body)
        if self.asked % 5 == 0:
            lines = self.server.ask("POST", "/v1/classify/answers", LABELLING)
            self.expect(lines.status == 200 and len(lines.body.splitlines()) % Writer.BATCH == 0, lines.body[-300:])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--clients", type=int, default=8)
    asked = arguments.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="zeroshelf-serve-soak-"))
    serving.draw(folder / "first", Writer.BATCH)
    serving.run(serving.INDEX, "add", folder / "shelf", folder / "first")
    writer = Writer(folder, folder / "shelf")
    with serving.Server(folder / "shelf", folder=folder) as server:
        end = time.monotonic() + asked.seconds
        clients = [Client(server, number, end) for number in range(asked.clients)]
        for client in clients:
            client.start()
        while time.monotonic() < end:
            writer.round()
        for client in clients:
            client.join()
        faults = [fault for client in clients for fault in client.faults]
        print(f"{sum(client.asked for client in clients)} turns of {asked.clients} clients, {writer.rounds} rounds of "
              f"the writer, {len(faults)} faults")
        for fault in faults:
            print(fault)
    shutil.rmtree(folder)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
