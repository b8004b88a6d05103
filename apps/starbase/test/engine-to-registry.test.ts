import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { requireRegistryInCi } from "@starform/testkit/docker-registry";
import { describe, expect, test } from "vitest";
import { buildkitBuildService } from "../src/adapters/buildkit/build-service.ts";
import type { BuildSpec } from "../src/ports/build-service.ts";
import { aBuild, built } from "./build-service.contract.ts";
import { builderEngine } from "./builder-engine.ts";
import { openRegistryForBuilds } from "./registry-for-builds.ts";

describe.runIf(requireEngineInCi() && requireRegistryInCi())(
  "a Docker Engine that builds for clusters",
  { timeout: 240_000 },
  () => {
    test("leaves the image in the registry, under the digest its receipt names, and none of its names in itself", async () => {
      await using stack = new AsyncDisposableStack();
      const dir = await mkdtemp(path.join(tmpdir(), "engine-to-registry-"));
      stack.defer(() => rm(dir, { recursive: true, force: true }));
      const { socketPath } = stack.use(await openDockerEngine());
      const { registry } = stack.use(await openRegistryForBuilds(path.join(dir, "registry")));
      const builds = stack.use(
        buildkitBuildService({
          engineSocket: socketPath,
          cacheDir: path.join(dir, "cache"),
          workDir: path.join(dir, "work"),
          registry,
          log: (text) => console.error(text),
        }),
      );
      const files = { Dockerfile: "FROM scratch\nCOPY hello /hello\n", hello: "world\n" };
      const spec = await aBuild({ dir }, [], { files });
      const { info } = spec.outcome;
      const outcome: BuildSpec["outcome"] = { ok: true, kind: "dockerfile", path: "Dockerfile", info };
      const { status } = await built(builds, { ...spec, outcome });
      if (status.state !== "succeeded") throw new Error(JSON.stringify(status));
      const repository = `${registry.host}/${spec.projectId}/${spec.serviceId}`;
      expect(status.image).toBe(`${repository}@${status.imageDigest}`);
      const stored = await registry.images(spec);
      expect(stored).toEqual([expect.objectContaining({ digest: status.imageDigest, tags: [spec.buildId] })]);
      expect(status.sizeBytes).toBe(stored[0]?.sizeBytes);
      expect(await builderEngine(socketPath).imagesOf(repository)).toEqual([]);
    });
  },
);
