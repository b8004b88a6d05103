import { createHash } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DesiredService } from "@starform/contract/clusters";
import type { ServiceKey } from "../../core/service-key.ts";
import { readJson, removeFile, writeJson } from "../disk/json-file.ts";

/** What a restart of Shuttle must not forget of a service. */
export type ServiceMemory = {
  readonly key: ServiceKey;
  /** What was last wholly ready: it stays, and is repaired, when something newer fails. */
  good: { readonly checksum: string; readonly service: DesiredService } | null;
  failed: {
    readonly checksum: string;
    readonly reason: string;
    readonly lastLines?: readonly string[];
  } | null;
  /** Endings of instances of `triesOf` before it was ever ready. */
  tries: number;
  triesOf: string;
  restarts: number;
  restartsOf: string;
  /** Instances in the gateway's table. */
  serving: string[];
  /** Instances on their way out. */
  retiring: string[];
};

/** One file per service: together they are the inventory of what this Shuttle brought into being. */
export function serviceMemories(dir: string) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const pathOf = (key: ServiceKey) =>
    join(dir, `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`);
  return {
    all: (): ServiceMemory[] =>
      readdirSync(dir)
        .filter((name) => name.endsWith(".json"))
        .flatMap((name) => (readJson(join(dir, name)) as ServiceMemory | undefined) ?? []),
    fresh: (key: ServiceKey): ServiceMemory => ({
      key,
      good: null,
      failed: null,
      tries: 0,
      triesOf: "",
      restarts: 0,
      restartsOf: "",
      serving: [],
      retiring: [],
    }),
    save: (memory: ServiceMemory): void => writeJson(pathOf(memory.key), memory),
    forget: (key: ServiceKey): void => removeFile(pathOf(key)),
  };
}
export type ServiceMemories = ReturnType<typeof serviceMemories>;
