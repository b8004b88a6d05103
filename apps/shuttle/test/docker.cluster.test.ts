import { join } from "node:path";
import { openDockerEngine as startDocker, requireEngineInCi } from "@starform/testkit/docker-engine";
import { describe } from "vitest";
import { openDockerEngine } from "../src/adapters/local/docker/docker-engine.ts";
import { clusterContract } from "./cluster.contract.ts";
import { dockerImages } from "./docker-image.ts";
import { openLocalRig } from "./local-rig.ts";
import { sampleApp } from "./sample-app.ts";

describe.skipIf(!requireEngineInCi())("with a Docker Engine of its own", () => {
  clusterContract("containers", async () => {
    const docker = await startDocker();
    let makeImage: ReturnType<typeof dockerImages> | undefined;
    const rig = await openLocalRig({
      openEngine: (_dir, clusterId) =>
        openDockerEngine({ socketPath: docker.socketPath, clusterId, warn: () => undefined }),
      image: (dir, command) =>
        (makeImage ??= dockerImages(docker.socketPath, join(dir, "bases")))(sampleApp, command),
      missingImage: `starform.local/project/service@sha256:${"0".repeat(64)}`,
      isolatesNetwork: true,
    });
    return {
      ...rig,
      async [Symbol.asyncDispose]() {
        await rig[Symbol.asyncDispose]();
        await docker[Symbol.asyncDispose]();
      },
    };
  });
});
