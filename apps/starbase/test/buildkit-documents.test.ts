import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { describe, expect, test } from "vitest";
import type { BuildSpec } from "../src/ports/build-service.ts";
import { aBuild, built } from "./a-build.ts";
import { openBuildkitBuilder } from "./buildkit-builder.ts";

const status = [
  "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u10\n",
  "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n",
].join("\n");

describe.skipIf(!requireEngineInCi())("an image that a Docker Engine built", { timeout: 240_000 }, () => {
  test("tells its Debian packages, where it has any", async () => {
    await using under = await openBuildkitBuilder();
    const without = await built(under.builds, await aBuild(under, ["true"]));
    expect(without.status).toMatchObject({ state: "succeeded" });
    expect(without.status).not.toHaveProperty("facts.debianPackages");
    const files = { Dockerfile: "FROM base\nCOPY root /\n", "root/var/lib/dpkg/status": status };
    const spec = await aBuild(under, [], { files });
    const { info } = spec.outcome;
    const outcome: BuildSpec["outcome"] = { ok: true, kind: "dockerfile", path: "Dockerfile", info };
    const withThem = await built(under.builds, { ...spec, outcome });
    expect(withThem.status).toMatchObject({
      state: "succeeded",
      facts: {
        hasShell: true,
        debianPackages: [{ name: "libc6", version: "2.36-9+deb12u10", architecture: "amd64" }],
      },
    });
  });
});
