import { readdirSync, readFileSync } from "node:fs";

type Process = {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly startedAt: number;
};

/**
 * Ends, when the run is over, what its tests started and did not: a worker that is killed disposes of nothing, and a
 * process that holds its output keeps the run itself from ending.
 */
export default function setUp(): () => void {
  return () => {
    for (const line of endLeftProcesses()) console.error(`ended what a test left running: ${line}`);
  };
}

/**
 * Kills every process of this one's group that began after it and has lost its parent; answers their command lines.
 * What was started in a group of its own, as a platform is, is not among them. None where there is no /proc.
 */
export function endLeftProcesses(): string[] {
  if (process.platform !== "linux") return [];
  const all = new Map(processes().map((one) => [one.pid, one]));
  const self = all.get(process.pid);
  if (!self) return [];
  const isOrphan = ({ parent }: Process): boolean => parent === 1 || all.get(parent)?.group !== self.group;
  const left = [...all.values()].filter(
    (one) => one.group === self.group && one.startedAt > self.startedAt && isOrphan(one),
  );
  return left.flatMap(({ pid }) => {
    const line = commandLine(pid);
    try {
      process.kill(pid, "SIGKILL");
      return [`${pid} ${line}`];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}

const processes = (): Process[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(name, "stat");
      // The name in brackets may hold anything; what follows it is numbers.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [parent, group, startedAt] = [1, 2, 19].map((at) => Number(fields[at]));
      return parent === undefined || group === undefined || startedAt === undefined || stat === ""
        ? []
        : [{ pid: Number(name), parent, group, startedAt }];
    });

const commandLine = (pid: number): string => read(String(pid), "cmdline").replaceAll("\0", " ").trim();

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
