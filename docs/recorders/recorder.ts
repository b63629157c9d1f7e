// Records a history for Lawspeaker: `node --experimental-strip-types recorder.ts FILE` writes a small demonstration.
// (Node 22.6 or later strips types; for an older one, let `tsc` do it.)
//
// Copy this file into your project and call `call` around what your code does.

import { closeSync, openSync, writeSync } from "node:fs";

type X = Record<string, unknown>;

/** Throw it inside `call` when the call surely did not happen; anything else thrown is of unknown outcome. */
export class Fail extends Error {}

/** Writes one op a line, whole lines only. */
export class Recorder {
  file: number;
  started: bigint = process.hrtime.bigint();
  index: number = 0;

  constructor(path: string, profile?: string, source?: string) {
    this.file = openSync(path, "w");
    this.write({ format: "lawspeaker.history", version: 1, profile, source });
  }

  write(line: X): void {
    writeSync(this.file, JSON.stringify(line) + "\n");
  }

  /** Writes one op; `x` is what Jepsen has no word for: key, group, gen, cause, clock, phase and so on. */
  op(caller: number | string, type: string, f: string, value: unknown, x?: X, error?: unknown): void {
    const time = Number(process.hrtime.bigint() - this.started);
    const why = error === undefined ? undefined : String(error);
    this.write({ index: this.index++, time, process: caller, type, f, value, error: why, x });
  }

  /** Records the invocation and what became of it. After an outcome that nobody knows, use a new caller. */
  async call<T>(caller: number | string, f: string, value: unknown, x: X, doing: () => Promise<T>): Promise<T> {
    this.op(caller, "invoke", f, value, x);
    let result: T;
    try {
      result = await doing();
    } catch (error) {
      this.op(caller, error instanceof Fail ? "fail" : "info", f, value, x, error);
      throw error;
    }
    this.op(caller, "ok", f, result, x);
    return result;
  }

  close(): void {
    closeSync(this.file);
  }
}

/** A log in memory, a producer and a consumer. */
async function demo(path: string): Promise<void> {
  const recorder = new Recorder(path, "kafka", "demo of recorder.ts");
  const records: unknown[] = [];
  for (const event of ["a", "b", "c"]) {
    await recorder.call(0, "send", [["send", "orders/0", event]], { key: "k" }, async () => {
      records.push([records.length, event]);
      return [["send", "orders/0", records.at(-1)]];
    });
  }
  await recorder.call(1, "poll", [["poll"]], { group: "g" }, async () => [["poll", { "orders/0": records }]]);
  const next = { "orders/0": records.length };
  await recorder.call(1, "commit", next, { group: "g" }, async () => next);
  recorder.close();
}

if (process.argv[2]) demo(process.argv[2]);
