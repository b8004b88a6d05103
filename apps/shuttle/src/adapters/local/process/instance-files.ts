import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isAlive, startTimeOf } from "@starform/std/process";

/** What is written down of an instance before its process begins, so that none is ever unknown. */
export type InstanceRecord = {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number | null;
  readonly startedAtMs: number;
  readonly cpuMillis: number;
};

export type InstanceFiles = ReturnType<typeof instanceFiles>;

/**
 * The directory of each instance: `record.json`, `out`, `err`, `exit`, and the keeper's process with its start: `born`
 * written by Shuttle, `begun` by the keeper itself in case Shuttle is killed before it can.
 */
export function instanceFiles(root: string) {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const dirOf = (id: string) => join(root, id);
  const birthOf = (id: string) =>
    (readText(join(dirOf(id), "born")) ?? readText(join(dirOf(id), "begun")) ?? "").trim().split(" ");
  return {
    dirOf,
    ids: (): string[] => readdirSync(root),
    create(record: InstanceRecord): string {
      mkdirSync(dirOf(record.id), { mode: 0o700 });
      writeWhole(join(dirOf(record.id), "record.json"), JSON.stringify(record));
      return dirOf(record.id);
    },
    read(id: string): InstanceRecord | undefined {
      const text = readText(join(dirOf(id), "record.json"));
      return text === undefined ? undefined : (JSON.parse(text) as InstanceRecord);
    },
    setBorn(id: string, pid: number): void {
      writeWhole(join(dirOf(id), "born"), `${pid} ${startTimeOf(pid) ?? ""}`);
    },
    /** The keeper process, if it is the one that was started and still lives. */
    livePid(id: string): number | undefined {
      const [pidText, startTime] = birthOf(id);
      const pid = Number(pidText);
      if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
      return startTimeOf(pid) === startTime ? pid : undefined;
    },
    /** False when the machine was started anew since the instance began. */
    isOfThisBoot(id: string): boolean {
      const bootOf = (startTime: string | undefined) => startTime?.split(":")[0];
      return bootOf(birthOf(id)[1]) === bootOf(startTimeOf(process.pid));
    },
    /** The code the keeper wrote down when the app ended; undefined if it never came to that. */
    exitCode(id: string): number | undefined {
      const text = readText(join(dirOf(id), "exit"));
      return text === undefined ? undefined : Number(text.trim());
    },
    remove(id: string): void {
      // The kernel closes this directory of a layer to everyone but root.
      if (existsSync(join(dirOf(id), "work/work"))) chmodSync(join(dirOf(id), "work/work"), 0o700);
      rmSync(dirOf(id), { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.draft`, text, { mode: 0o600 });
  renameSync(`${path}.draft`, path);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
