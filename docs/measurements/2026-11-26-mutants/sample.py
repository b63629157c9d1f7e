#!/usr/bin/env python3
"""Tries mutants of a package in random order, in a git work tree of its own, which it changes.

    cargo install cargo-mutants
    git worktree add --detach ../mutants && cd ../mutants
    sample.py --package lawspeaker-oracle --files 'oracle/src/guarantee/**' --seed 11 --minutes 15 --step oracle

cargo-mutants lists the mutants; this tries one after the other without copying the tree, building one test target at a
time and stopping at the first that fails. Prints a line for each mutant, and the sums. `--again FILE` tries only those that
such a line calls missed.
"""

import argparse
import collections
import json
import random
import subprocess
import sys
import time


def mutants(package, files, seed):
    command = ["cargo", "mutants", "--list", "--json", "--diff", "-p", package, "-f", files]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    random.Random(seed).shuffle(listed)
    return listed


def missed(path):
    with open(path, encoding="utf-8") as lines:
        words = [line.split(None, 1) for line in lines]
    return {name.strip() for answer, name in words if answer == "missed"}


def apply(mutant):
    _, _, *rest = mutant["diff"].split("\n")
    diff = "\n".join([f"--- {mutant['file']}", f"+++ {mutant['file']}", *rest])
    subprocess.run(["patch", "-p0", "-s", "--no-backup-if-mismatch"], input=diff, check=True, text=True)


def test(package, step):
    """Whether the tests of a target pass; `None` if they cannot be built."""
    target, *filters = step.split(":", 1)
    kind = ["--lib"] if target == "lib" else ["--test", target]
    build = ["cargo", "test", "-q", "-p", package, *kind]
    if subprocess.run([*build, "--no-run"], capture_output=True).returncode != 0:
        return None
    names = filters[0].split(",") if filters else []
    try:
        return subprocess.run([*build, "--", *names], capture_output=True, timeout=120).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def verdict(package, steps):
    for step in steps:
        passed = test(package, step)
        if not passed:
            return "unviable" if passed is None else "caught"
    return "missed"


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--package", required=True)
    options.add_argument("--files", required=True, help="a glob, as cargo-mutants has it")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--minutes", type=float, required=True)
    options.add_argument("--again", help="what was printed before")
    options.add_argument("--step", action="append", required=True, help="a test target, or `lib`; `:a,b` names tests of it")
    options = options.parse_args()
    until, sums = time.monotonic() + options.minutes * 60, collections.Counter()
    again = missed(options.again) if options.again else None
    for mutant in mutants(options.package, options.files, options.seed):
        if time.monotonic() > until:
            break
        if again is not None and mutant["name"] not in again:
            continue
        apply(mutant)
        answer = verdict(options.package, options.step)
        subprocess.run(["git", "checkout", "-q", mutant["file"]], check=True)
        sums[answer] += 1
        print(f"{answer:8} {mutant['name']}", flush=True)
    print(dict(sums), file=sys.stderr)


if __name__ == "__main__":
    main()
