import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { requireRegistryInCi } from "@starform/testkit/docker-registry";
import { describe } from "vitest";
import { buildServiceContract } from "./build-service.contract.ts";
import { openRemoteBuilder } from "./remote-builder.ts";

describe.runIf(requireEngineInCi() && requireRegistryInCi())("on an endpoint over mutual TLS", () => {
  buildServiceContract("remote BuildKit", () => openRemoteBuilder("buildkit"));
});

/** No Debian has it: `TEST_BUILDKITD=/usr/bin/buildkitd` says where there is one. */
const buildkitd = process.env["TEST_BUILDKITD"] ?? "";
describe.runIf(buildkitd !== "")("in a buildkitd of its own, over its own mutual TLS", () => {
  buildServiceContract("remote BuildKit", () => openRemoteBuilder("buildkit", { buildkitd }));
});
