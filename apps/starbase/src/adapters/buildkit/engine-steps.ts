import { constants, lstatSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { markName } from "./build-mark.ts";

/** What an engine tells of a step that runs. */
export type StepTraces = {
  /** Of the build it belongs to; undefined for one that was given none. */
  readonly mark: string | undefined;
  /** The folder its own files go to, empty when it begins. */
  readonly layers: readonly string[];
  /** Folders that were there before it, and that it writes into: cache mounts. */
  readonly caches: readonly string[];
};

type Mount = { destination: string; type?: string; source?: string; options?: string[] };

/**
 * Reads a step's traces where the engine's BuildKit keeps its bundle, which is there before the step has a process. By
 * the name of the step's control group; undefined where it is no step, or one that is over.
 */
export function tracesOf(engine: { dataRoot: string; pid: string }, step: string): StepTraces | undefined {
  try {
    const executor = path.join(engine.dataRoot, "buildkit/executor");
    const bundle = path.join(executor, step);
    const { mounts = [] } = JSON.parse(readFileSync(`${bundle}/config.json`, "utf8")) as { mounts?: Mount[] };
    const hosts = mounts.find(
      ({ destination, source }) => destination === "/etc/hosts" && isOf(executor, source),
    );
    const upper = uppersOf(engine.pid);
    const binds = mounts.filter(
      ({ source, options = [] }) =>
        source && options.some((one) => /^r?bind$/.test(one)) && !options.includes("ro"),
    );
    const sources = binds.map(({ source }) => upper(source!) ?? source!);
    return {
      mark: hosts && markIn(textOf(hosts.source!)),
      layers: [upper(`${bundle}/rootfs`)].filter((one) => one !== undefined),
      caches: sources.filter((source) => source.startsWith(`${engine.dataRoot}/`)),
    };
  } catch {
    return undefined;
  }
}

/**
 * The engine makes hosts files directly in its executor's folder. A Dockerfile may mount a file of its own in that place
 * (`RUN --mount=…,target=/etc/hosts`), which the engine takes instead: that one lies elsewhere.
 */
const isOf = (executor: string, source: string | undefined): boolean =>
  source !== undefined && path.dirname(source) === realpathSync(executor);

const hostsBytesMax = 64 * 2 ** 10;

/** Of what is no regular file, or too large for one of hosts, nothing; waits for none. */
function textOf(file: string): string {
  const found = lstatSync(file);
  const flag = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return found.isFile() && found.size <= hostsBytesMax
    ? readFileSync(file, { encoding: "utf8", flag: flag as never })
    : "";
}

const markIn = (hosts: string): string | undefined =>
  hosts
    .split("\n")
    .map((line) => line.split("\t"))
    .find(([, name]) => name === markName)?.[0];

/** By the place of an overlay that the engine has mounted: where what is written to it goes. */
function uppersOf(pid: string): (place: string) => string | undefined {
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8").split("\n");
  return (place) => {
    const found = mounts.find((line) => plain(line.split(" ")[4] ?? "") === place);
    const upper = found && /[ ,]upperdir=([^ ,]*)/.exec(found)?.[1];
    return upper && plain(upper);
  };
}

/** The kernel writes blanks as numbers. */
const plain = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
