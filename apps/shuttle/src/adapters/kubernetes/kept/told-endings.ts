import { z } from "zod";
import type { KeptSecrets } from "./kept-secrets.ts";

/** Of each pod, by its uid, the run whose end was told last. */
export type ToldEndings = ReadonlyMap<string, number>;

/** What the logs were told of endings, kept where the cluster is, for the next Shuttle. */
export type ToldEndingsStore = {
  /** Rejects when it cannot be read; what is not there or spoiled is empty. */
  load(): Promise<ToldEndings>;
  save(told: ToldEndings): Promise<void>;
};

const name = "shuttle-told-endings";
const Kept = z.record(z.string(), z.number().int());

/** In one Secret of Shuttle's own namespace. */
export const kubernetesToldEndings = (secrets: KeptSecrets): ToldEndingsStore => ({
  async load() {
    const text = (await secrets.list()).find((secret) => secret.name === name)?.data["told"]?.toString();
    try {
      return new Map(Object.entries(Kept.parse(JSON.parse(text ?? "{}"))));
    } catch {
      return new Map();
    }
  },
  save: (told) =>
    secrets.put({ name, data: { told: Buffer.from(JSON.stringify(Object.fromEntries(told)), "utf8") } }),
});
