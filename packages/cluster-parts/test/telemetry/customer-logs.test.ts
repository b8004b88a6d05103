import { execFileSync, spawnSync } from "node:child_process";
import { levelOf } from "@starform/log-shipper/line-splitter";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { carried } from "../samples.ts";

const canRun = process.env["CI"] ? true : spawnSync("lua5.1", ["-v"]).error === undefined;

type Event = {
  readonly tag: string;
  readonly atMs: number;
  readonly log?: string;
  readonly labels?: object;
  readonly pod?: string;
};
type Row = Readonly<Record<string, string>>;

const luaText = (text: string): string =>
  `"${[...Buffer.from(text)].map((byte) => `\\${String(byte).padStart(3, "0")}`).join("")}"`;
const luaTable = (entries: object): string =>
  `{${Object.entries(entries)
    .map(([key, value]) => `[${luaText(key)}]=${luaText(String(value))}`)
    .join(",")}}`;

const labels = {
  "starform.io/project-id": "p-1",
  "starform.io/environment": "production",
  "starform.io/service-id": "s-1",
  "starform.io/workspace-id": "w-1",
};
const annotations = { "starform.io/deployment-id": "d-1" };

const driver = `
local function say(row)
  for name, value in pairs(row) do
    io.write(name, "\\31", type(value) == "number" and string.format("%.0f", value) or value, "\\30")
  end
  io.write("\\29")
end
function run(tag, sec, nsec, record)
  local code, _, out = customer_logs(tag, { sec = sec, nsec = nsec }, record)
  if code == 2 then if out[1] then for _, row in ipairs(out) do say(row) end else say(out) end end
end
`;

/** The rows that the script makes of events, in order: by the interpreter that Fluent Bit's is compatible with. */
function rowsOf(events: readonly Event[]): Row[] {
  const calls = events.map(({ tag, atMs, log, labels: own = labels, pod = "web-1" }) => {
    const record =
      tag === "tick"
        ? "{tick=true}"
        : `{log=${luaText(log ?? "")},stream="stdout",kubernetes={pod_name=${luaText(pod)},namespace_name="proj-shop",labels=${luaTable(own)},annotations=${luaTable(annotations)}}}`;
    return `run(${luaText(tag)},${Math.floor(atMs / 1_000)},${(atMs % 1_000) * 1_000_000},${record})`;
  });
  const output = execFileSync("lua5.1", ["-"], {
    input: `${carried("fluent-bit", "customer-logs.lua")}\n${driver}\n${calls.join("\n")}\n`,
    maxBuffer: 2 ** 28,
  }).toString("utf8");
  return output
    .split("\u001d")
    .slice(0, -1)
    .map((row) =>
      Object.fromEntries(
        row
          .split("\u001e")
          .slice(0, -1)
          .map((pair) => pair.split("\u001f") as [string, string]),
      ),
    );
}

const startMs = Date.parse("2026-11-29T12:00:00.123Z");
const line = (log: string, own: Partial<Event> = {}): Event => ({
  tag: "kube.x",
  atMs: startMs,
  log,
  ...own,
});

describe.skipIf(!canRun)("the rows of customers' logs", () => {
  test("say whose a line is by the pod's labels alone", () => {
    const forged = '{"project_id":"p-2","kubernetes":{"labels":{"starform.io/project-id":"p-2"}}}';
    const [row] = rowsOf([line(forged)]);
    expect(row).toMatchObject({
      project_id: "p-1",
      environment: "production",
      service_id: "s-1",
      workspace_id: "w-1",
      deployment_id: "d-1",
      instance_id: "web-1",
      message: forged,
      ts: String(startMs),
      stream: "stdout",
      attributes: "",
    });
  });

  test("have no tenant where the pod has no labels", () => {
    expect(rowsOf([line("x", { labels: {} })])[0]).toMatchObject({
      project_id: "",
      service_id: "",
      message: "x",
    });
  });

  test("keep the order of lines of one millisecond", () => {
    const rows = rowsOf([..."abc"].map((text) => line(text)));
    expect(rows.map(({ message }) => message)).toEqual(["a", "b", "c"]);
    const seqs = rows.map(({ seq }) => Number(seq));
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(new Set(seqs).size).toBe(3);
    expect(Number.isSafeInteger(seqs[0])).toBe(true);
  });

  test("cut a line at 64 KiB, and never within a character", () => {
    const [row] = rowsOf([line("é".repeat(40_000))]);
    expect(row?.["message"]).toMatch(/^é{32768} … \[cut here: the line was 80000 bytes, 65536 are kept\]$/);
    expect(rowsOf([line(`x${"é".repeat(40_000)}`)])[0]?.["message"]).toMatch(/^xé{32767} … \[cut/);
  });

  test("have the level that the embedded runtimes give the same line", () => {
    const lines = [
      "listening on 8080",
      "[warn] slow query",
      "ERROR: no connection",
      "GET /error-page 200",
      "level=warn msg=x",
      'time="x" level=error msg="y"',
      "severity=critical z",
      '{"level":"error","msg":"x"}',
      '{"level":30,"msg":"x"}',
      '{"level": 50}',
      '{"severity":"WARNING"}',
      '{"msg":"no level"}',
      "TypeError: x is undefined",
      "  Uncaught ReferenceError: y",
      "java.lang.Exception: z",
      "debug start",
      "a.warn.b",
      "fatal",
      "info",
      "Panic: all is lost",
      "x".repeat(90) + " error",
    ];
    expect(rowsOf(lines.map((text) => line(text))).map(({ level }) => level)).toEqual(
      lines.map((text) => levelOf(text)),
    );
  });

  test("have that level for any line of words", () => {
    const word = fc.constantFrom(
      "error",
      "Warn",
      "INFO",
      "debug",
      "the",
      "x1",
      "level=err",
      "lvl=info",
      "[fatal]",
      "Error:",
      "a-warn",
      "crit|",
      "42",
    );
    const anyLine = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(" "));
    fc.assert(
      fc.property(fc.array(anyLine, { minLength: 20, maxLength: 60 }), (lines) => {
        expect(rowsOf(lines.map((text) => line(text))).map(({ level }) => level)).toEqual(
          lines.map((text) => levelOf(text)),
        );
      }),
      { numRuns: 15 },
    );
  });

  test("tell in the log itself how many lines a noisy service lost", () => {
    const events = Array.from({ length: 12_345 }, (_, at) =>
      line(`n ${at}`, { atMs: startMs + Math.floor(at / 1_000) }),
    );
    const rows = rowsOf([
      ...events,
      { tag: "tick", atMs: startMs + 500 },
      { tag: "tick", atMs: startMs + 1_500 },
    ]);
    const told = rows.filter(({ attributes }) => attributes !== "");
    const kept = rows.length - told.length;
    expect(told).toHaveLength(1);
    // 10,000 at once, and 2,000 a second for the 12 ms that it took.
    expect(kept).toBe(10_024);
    expect(told[0]).toMatchObject({
      level: "warn",
      stream: "system",
      project_id: "p-1",
      instance_id: "web-1",
    });
    expect(told[0]?.["message"]).toMatch(
      new RegExp(
        `^${12_345 - kept} lines were dropped between 2026-11-29T12:00:00.1\\d\\dZ and 2026-11-29T12:00:00.135Z: the service writes more lines than its budget allows$`,
      ),
    );
    expect(JSON.parse(told[0]?.["attributes"] ?? "")).toMatchObject({ gap: true, count: 12_345 - kept });
  });

  test("let one service's noise cost no other service a line, and errors least of all", () => {
    const noise = Array.from({ length: 12_000 }, () => line("noise"));
    const other = line("quiet", { labels: { ...labels, "starform.io/service-id": "s-2" }, pod: "other-1" });
    const rows = rowsOf([...noise, other, line("ERROR: it matters")]);
    expect(rows.map(({ message }) => message)).toContain("quiet");
    expect(rows.map(({ message }) => message)).toContain("ERROR: it matters");
    expect(rows).toHaveLength(10_002);
  });

  test("are none for a tick without gaps", () => {
    expect(rowsOf([{ tag: "tick", atMs: startMs }])).toEqual([]);
  });
});
