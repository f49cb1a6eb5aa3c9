"""Headless Chromium over the WebDriver protocol, by the standard library alone, for page_test.py."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how the protocol names an element
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Backspace": "\ue003", "Tab": "\ue004", "ArrowRight": "\ue014",
        "ArrowDown": "\ue015", "Home": "\ue011", "End": "\ue010", "Control": "\ue009", "Delete": "\ue017"}
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
         "--disable-features=Translate,OptimizationHints,MediaRouter", "--lang=en", "--mute-audio"]


def missing():
    """What of Chromium this machine does not have; None: nothing."""
    return next((name for name in ("chromium", "chromedriver") if shutil.which(name) is None), None)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class WebDriverError(Exception):
    pass


class Browser:
    """One window; close() ends it and the driver."""

    def __init__(self, width=1440, height=900, dark=False, phone=False, logs=True):
        """logs: what errors() and requested() read, at the cost of speed."""
        self.profile = tempfile.TemporaryDirectory(prefix="zeroshelf-chromium-", ignore_cleanup_errors=True)
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.session = ""
        try:
            self._wait_for_driver()
            self._begin(width, height, dark, phone, logs)
        except BaseException:
            self.close()
            raise

    def _wait_for_driver(self):
        for _ in range(600):
            try:
                urllib.request.urlopen(self.address + "/status", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise WebDriverError("chromedriver does not answer")

    def _begin(self, width, height, dark, phone, logs):
        flags = FLAGS + [f"--user-data-dir={self.profile.name}", f"--window-size={width},{height}"]
        options = {"args": flags + (["--blink-settings=preferredColorScheme=0"] if dark else [])}
        if phone:
            options["mobileEmulation"] = {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2, "touch": True}}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options,
                  **({"goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}} if logs else {})}
        self.session = "/session/" + self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        self.command("POST", "/timeouts", {"script": 60000})
        if not phone:
            self.devtools("Emulation.setDeviceMetricsOverride",
                          {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, method=method, data=data,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            told = json.loads(error.read())["value"]
            raise WebDriverError(f"{told['error']}: {told['message'].splitlines()[0]}") from None

    def command(self, method, path, body=None):
        return self._ask(method, self.session + path, body)

    def devtools(self, name, parameters):
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def open(self, address):
        self.command("POST", "/url", {"url": address})

    def run(self, script, *arguments):
        """What the script returns; a promise is waited for."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def until(self, script, *arguments, seconds=60):
        """Waits until the script returns something that is true, and gives it."""
        end = time.monotonic() + seconds
        while True:
            value = self.run(script, *arguments)
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"did not come about in {seconds} s: {script} {arguments}\n{self.run('return document.body.innerText')}")
            time.sleep(0.05)

    def find(self, selector):
        return self.command("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.command("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        self.command("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def press(self, *keys):
        """Keys to whatever has the focus, one after the other."""
        actions = []
        for key in keys:
            value = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def new_window(self):
        return self.command("POST", "/window/new", {"type": "tab"})["handle"]

    def window(self):
        return self.command("GET", "/window")

    def switch_to(self, window):
        self.command("POST", "/window", {"handle": window})

    def screenshot(self):
        """A PNG in base64."""
        return self.command("GET", "/screenshot")

    def errors(self):
        """What scripts and the Content-Security-Policy complained of since the last call."""
        entries = self.command("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def requested(self):
        """The addresses that were asked for since the last call."""
        messages = (json.loads(entry["message"])["message"] for entry in self.command("POST", "/se/log", {"type": "performance"}))
        return [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]

    def close(self):
        if self.session:
            try:
                self.command("DELETE", "")
            except (OSError, WebDriverError):
                pass
            self.session = ""
        self.driver.terminate()
        self.driver.wait(30)
        self.profile.cleanup()
