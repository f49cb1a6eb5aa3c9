#!/usr/bin/env python3
"""What two builds of zeroshelf answer to the same questions, side by side.

usage: compare_builds.py OLD_BUILD NEW_BUILD FOLDER

Draws pictures into FOLDER (which must be new), indexes them with the old build, and asks both builds about copies of
that collection: every query command in every format. Prints a line a question: "equal" to the byte, "numbers" where
nothing but numbers differs (and by how much at the most), else what differs first. Exit code 1: some answers differ.
FOLDER keeps all answers, in answers/old and answers/new. What differs is for a person to explain.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

LABELS = ["--labels", "Doom, Animal Crossing"]
NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def questions(memes):
    """Name -> arguments of zeroshelf-query, or of zeroshelf-index when they begin with that."""
    asked = {}

    def ask(name, *arguments):
        asked[name] = list(arguments)

    def formats(name, options, *arguments):
        for option in options:
            ask(f"{name} {option}", *arguments, *(["-0"] if option == "-0" else ["--format", option]))

    picture = str(sorted(memes.rglob("*.jpg"))[7])
    truth = ["--truth", "../memes.csv"]
    ask("embed text", "embed", "--text", "a cat", "--text", "a dog", "--tokens")
    ask("embed picture", "embed", "--image", picture)
    ask("embed npy", "embed", "--text", "Doom", "--text", "Animal Crossing", "--npy", "labels.npy")
    by_vectors = ["classify", "shelf", *LABELS, "--label-vectors", "../labels.npy"]
    for rule in ("image", "text", "max", "mix"):
        formats(f"classify {rule}", ("table", "jsonl", "csv"), *by_vectors, "--fusion", rule)
    prompts = ["classify", "shelf", *LABELS, "--fusion", "max"]
    formats("classify by prompts", ("jsonl", "csv", "-0"), *prompts)
    formats("classify --summary", ("table", "jsonl", "csv"), *by_vectors, "--fusion", "max", "--summary")
    formats("classify --multi", ("table", "jsonl", "csv"), *by_vectors, "--fusion", "image", "--multi")
    ask("classify --threshold", *by_vectors, "--fusion", "max", "--threshold", "0.9", "--format", "jsonl")
    ask("classify --none", *prompts, "--none", "--format", "jsonl")
    ask("classify --template", *prompts, "--template", "meme", "--format", "jsonl")
    ask("classify --only", *by_vectors, "--fusion", "max", "--only", "Doom", "-0")
    ask("classify --save max", *by_vectors, "--fusion", "max", "--save", "max", "--summary")
    ask("classify --save text", *by_vectors, "--fusion", "text", "--save", "text", "--summary")
    ask("classify --save image", *by_vectors, "--fusion", "image", "--save", "image", "--summary")
    formats("calibrate", ("table", "jsonl"), "calibrate", "shelf", *LABELS, "--label-vectors", "../labels.npy", *truth)
    formats("evaluate", ("table", "jsonl"), "evaluate", "shelf", *LABELS, "--label-vectors", "../labels.npy", *truth)
    ask("evaluate --plot", "evaluate", "shelf", *LABELS, "--label-vectors", "../labels.npy", *truth, "--plot", "p.svg")
    formats("train", ("table", "jsonl"), "train", "shelf", *truth, *LABELS, "--label-vectors", "../labels.npy", "--save", "t")
    formats("classify --calibration", ("jsonl",), *by_vectors, "--calibration", "kept")
    formats("classify --classifier", ("jsonl", "csv"), "classify", "shelf", "--classifier", "kept")
    for kind in ("runs", "calibrations", "classifiers"):
        formats(f"runs {kind}", ("table", "jsonl"), "runs", "shelf", "--kind", kind)
    formats("diff", ("table", "jsonl", "csv", "-0"), "diff", "shelf", "image", "text")
    for by in ("margin", "disagreement"):
        formats(f"review {by}", ("table", "jsonl", "-0"), "review", "shelf", "max", "--by", by)
    for space in ("picture", "text", "both"):
        words = ["search", "shelf", "skull", "--in", space, "-k", "20"]
        formats(f"search --in {space} --all", ("table", "jsonl", "paths", "-0"), *words, "--all")
        formats(f"search --in {space}", ("jsonl",), *words)
    ask("search phrase", "search", "shelf", '"he wants"', "--format", "jsonl")
    ask("search nothing", "search", "shelf", "zebra crossing in Paris", "--in", "text", "--format", "jsonl")
    ask("search --like", "search", "shelf", "--like", picture, "--all", "--format", "jsonl")
    ask("search --image", "search", "shelf", "--image", picture, "--all", "--format", "jsonl")
    ask("search --plus", "search", "shelf", "a frog", "--plus", "a castle", "--minus", "night", "--all", "--format", "jsonl")
    ask("search --group", "search", "shelf", "a frog", "--group", "--all", "--format", "jsonl")
    ask("search filters", "search", "shelf", "a frog", "--path", "*1*", "--has-text", "--all", "--format", "jsonl")
    ask("search --run", "search", "shelf", "a frog", "--run", "max", "--label", "Doom", "--all", "--format", "jsonl")
    formats("duplicates", ("table", "jsonl", "-0"), "duplicates", "shelf")
    for kind in ("same_picture", "other_words", "same_words"):
        ask(f"duplicates {kind}", "duplicates", "shelf", "--kind", kind, "--format", "jsonl")
    ask("vectors", "vectors", "shelf", "--npy", "i.npy", "--text-npy", "t.npy", "--paths", "p.txt", "--paths0", "p0",
        "--metadata", "m.jsonl")
    export = ["export", "shelf", *LABELS, "--label-vectors", "../labels.npy", "--fusion", "max"]
    for mode in ("symlink", "hardlink", "copy"):
        ask(f"export folders {mode}", *export, "--to", "out", "--mode", mode)
    for kind in ("imagefolder", "fiftyone"):
        ask(f"export {kind}", *export, "--to", "out", "--format", kind, "--mode", "symlink")
    for kind in ("jsonl", "csv", "labelstudio", "coco", "html"):
        ask(f"export {kind}", *export, "--to", f"out.{kind}", "--format", kind)
    ask("export unsure", *export, "--to", "out", "--min-score", "0.95", "--unsure-to", "unsure", "--max-per-label", "9")
    for command in ("stats", "skips", "verify"):
        ask(f"{command}", "zeroshelf-index", command, "shelf")
        ask(f"{command} --json", "zeroshelf-index", command, "shelf", "--json")
    ask("ocr", "zeroshelf-index", "ocr", picture)
    return asked


def program(build, name):
    return str(Path(build).resolve() / {"zeroshelf-query": "query", "zeroshelf-index": "indexer"}[name] / name)


def run(build, arguments, folder):
    name = arguments[0] if arguments[0] == "zeroshelf-index" else "zeroshelf-query"
    if arguments[0] == name:
        arguments = arguments[1:]
    done = subprocess.run([program(build, name), *arguments], cwd=folder, capture_output=True)
    return done.returncode, done.stdout, done.stderr


def files_below(folder, but=()):
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.split("/")[0] in but or path.is_dir() and not path.is_symlink():
            continue
        found[name] = ("-> " + os.readlink(path)).encode() if path.is_symlink() else path.read_bytes()
    return found


def members(value, at=""):
    """The paths of a JSON value's members, and their values."""
    if isinstance(value, dict):
        return {k: v for name, one in value.items() for k, v in members(one, f"{at}.{name}").items()} | {at: "{}"}
    if isinstance(value, list):
        return {k: v for i, one in enumerate(value) for k, v in members(one, f"{at}[{i}]").items()} | {at: "[]"}
    return {at: value}


def first_difference(old, new):
    """In one line."""
    a, b = old.splitlines(), new.splitlines()
    if len(a) != len(b):
        return f"{len(a)} -> {len(b)} lines"
    for i, (x, y) in enumerate(zip(a, b)):
        if x == y:
            continue
        try:
            x, y = members(json.loads(x)), members(json.loads(y))
        except ValueError:
            return f"line {i + 1}: {x[:160].decode(errors='replace')} -> {y[:160].decode(errors='replace')}"
        lost, come = sorted(x.keys() - y.keys()), sorted(y.keys() - x.keys())
        if lost or come:
            return f"line {i + 1}: without {lost[:6]}, with {come[:6]}"
        other = [k for k in x if x[k] != y[k] and not (isinstance(x[k], float) and isinstance(y[k], float))]
        if other:
            return f"line {i + 1}: {other[0]}: {x[other[0]]!r:.80} -> {y[other[0]]!r:.80}"
    return "numbers"


def compared(old, new):
    if old == new:
        return "equal"
    if NUMBER.sub(b"#", old) == NUMBER.sub(b"#", new):
        pairs = zip(NUMBER.findall(old), NUMBER.findall(new))
        return f"numbers, by {max(abs(float(a) - float(b)) for a, b in pairs):.2g} at most"
    return first_difference(old, new)


def main():
    old, new, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3]).resolve()
    folder.mkdir(parents=True)
    memes = folder / "memes"
    draw = Path(new).resolve() / "models/train/zeroshelf-draw"
    subprocess.run([draw, "memes", memes, "--count", "400", "--seed", "2026"], check=True, capture_output=True)
    base = folder / "base"
    base.mkdir()
    first = [
        ["zeroshelf-index", "add", "shelf", str(memes), "--precision", "fp32"],
        ["embed", "--text", "Doom", "--text", "Animal Crossing", "--npy", "../labels.npy"],
        ["classify", "shelf", *LABELS, "--fusion", "max", "--summary", "--none"],
        ["classify", "shelf", *LABELS, "--fusion", "max", "--summary", "--template", "meme"],
        ["calibrate", "shelf", *LABELS, "--truth", "../memes.csv", "--save", "kept"],
        ["train", "shelf", *LABELS, "--truth", "../memes.csv", "--save", "kept"],
    ]
    for arguments in first:
        code, _, told = run(old, arguments, base)
        if code not in (0, 1):
            sys.exit(f"{' '.join(arguments)}: {told.decode()}")
    builds = {"old": old, "new": new}
    for side in builds:
        (folder / side).mkdir()
        shutil.copytree(base / "shelf", folder / side / "shelf", symlinks=True)
    counts = {}
    for name, arguments in questions(memes).items():
        answers = {}
        for side, build in builds.items():
            work = folder / side
            code, out, told = run(build, arguments, work)
            out = out.replace(str(work).encode(), b".")
            made = {n: b.replace(str(work).encode(), b".") for n, b in files_below(work, ("shelf",)).items()}
            kept = folder / "answers" / side / name.replace(" ", "_")
            kept.mkdir(parents=True)
            (kept / "stdout").write_bytes(out)
            (kept / "stderr").write_bytes(told)
            for path in work.iterdir():
                if path.name not in ("shelf",):
                    shutil.move(path, kept / path.name)
            answers[side] = {"stdout": out, **made}, code
        (was, was_code), (now, now_code) = answers["old"], answers["new"]
        found = [] if was_code == now_code else [f"exit code {was_code} -> {now_code}"]
        if was_code == now_code == 2:
            sys.exit(f"{name}: both refuse: {told.decode()}")
        for part in sorted(was.keys() | now.keys()):
            if part not in was or part not in now:
                found.append(f"{part}: only {'new' if part in now else 'old'}")
            else:
                verdict = compared(was[part], now[part])
                if verdict != "equal":
                    found.append(verdict if part == "stdout" else f"{part}: {verdict}")
        kind = "equal" if not found else "numbers" if all(": only" not in f and "numbers" in f for f in found) else "differs"
        counts[kind] = counts.get(kind, 0) + 1
        more = f" (+{len(found) - 1})" if len(found) > 1 else ""
        print(f"{kind:8}{name:36}{found[0] + more if found else ''}".rstrip())
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    sys.exit(1 if counts.get("differs") else 0)


if __name__ == "__main__":
    main()
