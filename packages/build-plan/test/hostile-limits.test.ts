import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostileCases, strangeCases, writeCase } from "./hostile-cases.ts";
import type { Measured } from "./plan-hostile-cases.ts";

/** The issue's own limit, as processor time: what a machine that is busy with other things does not change. */
const cpuMsMax = 1_000;
const grownMbMax = 250;
/** What the planner's thread has is more. */
const heapMbMax = 160;

const cases = { ...hostileCases, ...strangeCases };

let dir: string;
const measured = new Map<string, Measured>();
const folderOf = (name: string): string => path.join(dir, String(Object.keys(cases).indexOf(name)));

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), "hostile-"));
  for (const [name, hostile] of Object.entries(cases)) writeCase(folderOf(name), hostile);
  const script = path.join(import.meta.dirname, "plan-hostile-cases.ts");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [`--max-old-space-size=${heapMbMax}`, script, ...Object.keys(cases).map(folderOf)],
    { encoding: "utf8", timeout: 300_000 },
  );
  for (const line of stdout.split("\n").filter(Boolean)) {
    const one = JSON.parse(line) as Measured;
    measured.set(one.dir, one);
  }
  if (measured.size < Object.keys(cases).length) console.error(stderr);
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }), 300_000);

describe.each(Object.entries(cases))("%s", (name, { ends }) => {
  test("is told in a sentence, within a second and bounded memory", () => {
    const { said, cpuMs, grownMb } = measured.get(folderOf(name)) ?? { said: "did not end" };
    expect(said).toMatch(ends);
    expect(cpuMs).toBeLessThan(cpuMsMax);
    expect(grownMb).toBeLessThan(grownMbMax);
  });
});
