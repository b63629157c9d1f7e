"""Records a history for Lawspeaker: `python3 recorder.py FILE` writes a small demonstration.

Copy this file into your project and call `Recorder.call` around what your code does. Python 3.8 or later.
"""

import json
import sys
import threading
import time
from contextlib import contextmanager


class Fail(Exception):
    """Raise it inside `call` when the call surely did not happen; any other exception is of unknown outcome."""


class Recorder:
    """Writes one op a line, whole lines only, from any thread."""

    def __init__(self, path, profile=None, source=None):
        self._file = open(path, "w", buffering=1, encoding="utf-8")  # line by line, whoever kills us
        self._lock = threading.Lock()
        self._started = time.monotonic_ns()
        self._index = 0
        self._header = {"format": "lawspeaker.history", "version": 1}
        self._header.update({k: v for k, v in (("profile", profile), ("source", source)) if v})
        self._write(self._header)

    def _write(self, line):
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def op(self, process, type, f, value=None, error=None, **x):
        """Writes one op; what is given by name beyond these stands under `x`."""
        with self._lock:
            line = {"index": self._index, "time": time.monotonic_ns() - self._started}
            line.update(process=process, type=type, f=f, value=value)
            if error is not None:
                line["error"] = str(error)
            if x:
                line["x"] = x
            self._write(line)
            self._index += 1

    @contextmanager
    def call(self, process, f, value=None, **x):
        """Records the invocation, and what became of it: set `result.value` to what came back."""

        class Result:
            pass

        result = Result()
        result.value = value
        self.op(process, "invoke", f, value, **x)
        try:
            yield result
        except Fail as error:
            self.op(process, "fail", f, value, error=error, **x)
            raise
        except BaseException as error:
            # A time-out says nothing of what the server did. Use a new process id after this.
            self.op(process, "info", f, value, error=error, **x)
            raise
        self.op(process, "ok", f, result.value, **x)

    def close(self):
        self._file.close()


def demo(path):
    """A log in memory, a producer and a consumer."""
    log, recorder = [], Recorder(path, profile="kafka", source="demo of recorder.py")
    for event in ("a", "b", "c"):
        with recorder.call(0, "send", [["send", "orders/0", event]], key="k") as result:
            log.append(event)
            result.value = [["send", "orders/0", [len(log) - 1, event]]]
    with recorder.call(1, "poll", [["poll"]], group="g") as result:
        result.value = [["poll", {"orders/0": [[offset, event] for offset, event in enumerate(log)]}]]
    with recorder.call(1, "commit", {"orders/0": len(log)}, group="g"):
        pass
    recorder.close()


if __name__ == "__main__":
    demo(sys.argv[1])
