import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { describe } from "vitest";
import { buildServiceContract } from "./build-service.contract.ts";
import { openBuildkitBuilder } from "./buildkit-builder.ts";

describe.skipIf(!requireEngineInCi())("on a Docker Engine", () => {
  buildServiceContract("BuildKit", openBuildkitBuilder);
});
