import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Program, SupervisorEvent } from "../src/supervisor/program.ts";
import { openSupervisor, type Supervisor } from "../src/supervisor/supervisor.ts";

/** A folder with `run/` and `logs/`, gone at the end. */
export function aPlatformFolder() {
  const path = mkdtempSync(join(tmpdir(), "starform-embedded-"));
  for (const name of ["run", "logs"]) mkdirSync(join(path, name));
  return {
    path,
    runDir: join(path, "run"),
    logDir: join(path, "logs"),
    read: (name: string) => readFileSync(join(path, name), "utf8"),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
export type PlatformFolder = ReturnType<typeof aPlatformFolder>;

/**
 * A tiny program that is ready when it has written `<name>.ready`, and that notes its start and its end in `order`.
 * `body` is JavaScript that runs once it is up.
 */
export function aProgram(
  folder: PlatformFolder,
  name: string,
  options: Partial<Program> & { body?: string } = {},
): Program {
  const { body = "", ...rest } = options;
  const ready = join(folder.path, `${name}.ready`);
  const source = `
    const fs = require("node:fs");
    const note = (word) => fs.appendFileSync(${JSON.stringify(join(folder.path, "order"))}, word + " ${name}\\n");
    process.on("SIGTERM", () => { note("ended"); process.exit(0); });
    setInterval(() => undefined, 1_000);
    note("started");
    fs.writeFileSync(${JSON.stringify(ready)}, String(process.pid));
    ${body}`;
  writeFileSync(join(folder.path, `${name}.cjs`), source);
  return {
    name,
    after: [],
    prepare: async () => rmSync(ready, { force: true }),
    command: { file: process.execPath, args: [join(folder.path, `${name}.cjs`)], env: {} },
    isReady: () => readFileSync(ready, "utf8") !== "",
    stopSignal: "SIGTERM",
    stopWithinMs: 15_000,
    ...rest,
  };
}

export function supervising(
  folder: PlatformFolder,
  programs: Program[],
): Supervisor & { events: SupervisorEvent[] } {
  const events: SupervisorEvent[] = [];
  const options = {
    runDir: folder.runDir,
    logDir: folder.logDir,
    onEvent: (event: SupervisorEvent) => void events.push(event),
    backoff: { firstMs: 10, maxMs: 200 },
  };
  return { ...openSupervisor(programs, options), events };
}
