import { join } from "node:path";
import { openProcessEngine } from "../src/adapters/local/process/process-engine.ts";
import { clusterContract } from "./cluster.contract.ts";
import { openLocalRig } from "./local-rig.ts";
import { processImage } from "./process-image.ts";
import { sampleApp } from "./sample-app.ts";

clusterContract("processes", () =>
  openLocalRig({
    openEngine: (dir) =>
      openProcessEngine({
        dir,
        imagesDir: join(dir, "images"),
        searchPath: process.env["PATH"] ?? "",
        warn: () => undefined,
      }),
    image: async (dir, command) =>
      processImage(join(dir, "images"), sampleApp, command === null ? {} : { cmd: command }),
    missingImage: `starform.local/project/service@sha256:${"0".repeat(64)}`,
    isolatesNetwork: false,
  }),
);
