import { expect, test } from "vitest";
import { trackProgress, type BuildEvent, type StatusVertex } from "./progress.ts";

const at = (seconds: number) => ({ seconds });
const log = (text: string | Buffer, stream = 1) => ({
  vertex: "a",
  timestamp: at(2),
  stream,
  msg: Buffer.from(text),
});

function aBuild() {
  const events: BuildEvent[] = [];
  const progress = trackProgress((event) => events.push(event));
  const take = (vertex: Partial<StatusVertex>, ...logs: ReturnType<typeof log>[]): void =>
    progress.take({ vertexes: [{ digest: "a", name: "RUN make", ...vertex }], logs });
  return { events, progress, take, texts: () => events.map(({ stream, text }) => `${stream}: ${text}`) };
}

test("makes whole lines of pieces cut anywhere, also inside a character", () => {
  const build = aBuild();
  const bytes = Buffer.from("grüße\nrest");
  build.take(
    { started: at(1) },
    log(bytes.subarray(0, 3)),
    log("warn", 2),
    log(bytes.subarray(3)),
    log("ing\n", 2),
  );
  build.take({ started: at(1), completed: at(5) });
  expect(build.texts()).toEqual([
    "status: ",
    "stdout: grüße",
    "stderr: warning",
    "stdout: rest",
    "status: done",
  ]);
  expect(build.events.at(-1)).toMatchObject({ step: "RUN make", durationMs: 4000, cached: false });
});

test("says a repeated report once, and a step that runs again anew", () => {
  const build = aBuild();
  build.take({ started: at(1) });
  build.take({ started: at(1) });
  build.take({ started: at(1), completed: at(1), cached: true });
  build.take({ started: at(1), completed: at(1), cached: true });
  build.take({ started: at(3) });
  expect(build.texts()).toEqual(["status: ", "status: cached", "status: "]);
});

test("tells of what began when all else had ended after their ends, though one report holds both", () => {
  const build = aBuild();
  const [made, exported] = [
    { digest: "a", name: "RUN make", started: at(1) },
    { digest: "b", name: "exporting to image", started: at(5) },
  ];
  build.progress.take({ vertexes: [made], logs: [] });
  build.progress.take({ vertexes: [exported, { ...made, completed: at(5) }], logs: [log("made\n")] });
  expect(build.events.map(({ step, text }) => `${step}: ${text}`)).toEqual([
    "RUN make: ",
    "RUN make: made",
    "RUN make: done",
    "exporting to image: ",
  ]);
});

test("keeps the error and the last lines of the step that failed", () => {
  const build = aBuild();
  build.take(
    { started: at(1) },
    log(Array.from({ length: 100 }, (_, n) => `line ${n}\n`).join("")),
    log("last words"),
  );
  build.take({ started: at(1), completed: at(2), error: "exit code: 2" });
  const failed = build.progress.failed();
  expect(failed).toMatchObject({ step: "RUN make", error: "exit code: 2" });
  expect(failed?.lastLines.slice(-2)).toEqual(["line 99", "last words"]);
  expect(failed?.lastLines.length).toBeLessThanOrEqual(40);
});

test("output without line ends comes in pieces and does not pile up", () => {
  const build = aBuild();
  build.take({ started: at(1) });
  for (let n = 0; n < 40; n += 1) build.take({ started: at(1) }, log("x".repeat(10_000)));
  expect(build.events.filter(({ stream }) => stream === "stdout").length).toBeGreaterThan(3);
});

test("keeps and tells no more steps than a build can have, and goes on with those", () => {
  const { events, progress } = aBuild();
  const report = (digest: string, more: Partial<StatusVertex> = {}) =>
    progress.take({ vertexes: [{ digest, name: digest, started: at(1), ...more }], logs: [] });
  for (let n = 0; n < 20_000; n += 1) report(`step ${n}`);
  expect(events).toHaveLength(10_000);
  report("step 0", { completed: at(2) });
  expect(events.at(-1)).toMatchObject({ step: "step 0", text: "done" });
});
