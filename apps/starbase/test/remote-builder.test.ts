import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { requireRegistryInCi } from "@starform/testkit/docker-registry";
import { describe } from "vitest";
import { buildServiceContract } from "./build-service.contract.ts";
import { openRemoteBuilder } from "./remote-builder.ts";

describe.runIf(requireEngineInCi() && requireRegistryInCi())("on an endpoint over mutual TLS", () => {
  buildServiceContract("remote BuildKit", () => openRemoteBuilder("buildkit"));
});
