"""Runs rows of several builds of the engine bench in turn, and prints the best of each.

    python3 in_turn.py RUNS MODEL CHECKER PROGRAM...

A program is a built bench, such as target/release/deps/engine-0123456789abcdef or a copy of it; model and checker are
those of its table, such as `two-phase-commit` and `ours, 1 thread`. Told are seconds by the clock, processor seconds and
bytes a state, and how many times as fast as the first program it is.
"""

import os
import subprocess
import sys


def row(program, model, checker):
    """Seconds by the clock, processor seconds, bytes a state."""
    environment = {**os.environ, "LAWSPEAKER_BENCH_ROW": f"{model}/{checker}"}
    told = subprocess.run([program], env=environment, capture_output=True, text=True, check=True)
    states, _, seconds, processor, size = map(float, told.stdout.split())
    return seconds, processor, size / states


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    runs, model, checker, programs = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
    rows = {program: [] for program in programs}
    for _ in range(runs):
        for program in programs:
            rows[program].append(row(program, model, checker))
    first = min(rows[programs[0]])[0]
    for program in programs:
        seconds, processor, size = min(rows[program])
        print(f"{seconds:.3f} s  {processor:.2f} s  {size:.0f} B  {first / seconds:.2f}  {program}")


if __name__ == "__main__":
    main()
