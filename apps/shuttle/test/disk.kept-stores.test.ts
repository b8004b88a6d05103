import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileDesiredStore } from "../src/adapters/disk/desired-store.ts";
import { fileOverrideStore } from "../src/adapters/disk/override-store.ts";
import { keptStoresContract } from "./kept-stores.contract.ts";

keptStoresContract("a disk", async () => {
  const dir = mkdtempSync(join(tmpdir(), "starform-kept-"));
  return {
    open: () => ({
      desired: fileDesiredStore(join(dir, "desired")),
      overrides: fileOverrideStore(join(dir, "overrides")),
    }),
    async spoilNewest() {
      writeFileSync(join(dir, "desired/current.json"), '{"text": "tw');
      writeFileSync(join(dir, "desired/current.json.draft"), "{}");
    },
    spoilOverrides: async () => writeFileSync(join(dir, "overrides/broken.json"), "{"),
    [Symbol.asyncDispose]: async () => rmSync(dir, { recursive: true, force: true }),
  };
});
