import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { markName, markOf } from "../src/adapters/buildkit/build-mark.ts";
import { tracesOf } from "../src/adapters/buildkit/engine-steps.ts";

let dataRoot: string;
let executor: string;
beforeAll(() => {
  dataRoot = mkdtempSync(path.join(tmpdir(), "engine-steps-"));
  executor = path.join(dataRoot, "buildkit/executor");
  mkdirSync(path.join(executor, "step"), { recursive: true });
});
afterAll(() => rmSync(dataRoot, { recursive: true, force: true }));

const mark = markOf("one");
const marked = (file: string): string => {
  writeFileSync(file, `127.0.0.1\tlocalhost\n${mark}\t${markName}\n`);
  return file;
};

/** The mark of a step that has these files at /etc/hosts. */
function markBy(...sources: string[]) {
  const mounts = sources.map((source) => ({ destination: "/etc/hosts", source, options: ["rbind", "ro"] }));
  writeFileSync(path.join(executor, "step/config.json"), JSON.stringify({ mounts }));
  const traces = tracesOf({ dataRoot, pid: String(process.pid) }, "step");
  expect(traces).toBeDefined();
  return traces!.mark;
}

test.skipIf(process.platform !== "linux")(
  "a step's mark is read from the file that the engine made for it, and from no other",
  () => {
    const own = marked(path.join(executor, "hosts.own"));
    expect(markBy(own)).toBe(mark);
    const theirs = marked(path.join(dataRoot, "hosts"));
    expect(markBy(theirs)).toBeUndefined();
    expect(markBy(marked(path.join(executor, "step/hosts")))).toBeUndefined();
    expect(markBy(own, theirs)).toBe(mark);
    expect(markBy(theirs, own)).toBe(mark);
  },
);

test.skipIf(process.platform !== "linux")(
  "a file that is none of hosts gives no mark and is not waited for",
  () => {
    const link = path.join(executor, "hosts.link");
    symlinkSync(marked(path.join(dataRoot, "hosts")), link);
    const large = marked(path.join(executor, "hosts.large"));
    truncateSync(large, 100 * 2 ** 20);
    const pipe = path.join(executor, "hosts.pipe");
    execFileSync("mkfifo", [pipe]);
    // So that who does read it gets the mark and does not wait for ever.
    const writer = spawn("/bin/sh", [
      "-c",
      'printf "%s\\t%s\\n" "$1" "$2" > "$3"',
      "sh",
      mark,
      markName,
      pipe,
    ]);
    try {
      expect(markBy(large)).toBeUndefined();
      expect(markBy(pipe)).toBeUndefined();
      expect(markBy(link)).toBeUndefined();
    } finally {
      writer.kill("SIGKILL");
    }
  },
);
