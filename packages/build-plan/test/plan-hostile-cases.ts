// A process of its own, so that what it measures is the planner's alone: plans each folder it is given and tells, line by
// line, how it ended, how much processor time it took, and by how much the process has grown since it began, at most.
import path from "node:path";
import { planSource } from "../src/plan-source.ts";

export type Measured = {
  readonly dir: string;
  readonly said: string;
  readonly cpuMs: number;
  readonly grownMb: number;
};

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

// What is compiled and loaded by the first plans is no source's doing.
for (const example of ["express", "python", "ruby"])
  await planSource(path.resolve(import.meta.dirname, "../../../examples", example));
const beganBytes = process.memoryUsage.rss();
for (const dir of process.argv.slice(2)) {
  const beganMs = cpuMs();
  const outcome = await planSource(dir).catch((error: unknown) => `threw ${String(error)}`);
  const took = cpuMs() - beganMs;
  const measured: Measured = {
    dir,
    said: typeof outcome === "string" ? outcome : outcome.ok ? "planned" : outcome.error.message,
    cpuMs: Math.round(took),
    grownMb: Math.round((process.resourceUsage().maxRSS * 1_024 - beganBytes) / 2 ** 20),
  };
  console.log(JSON.stringify(measured));
}
