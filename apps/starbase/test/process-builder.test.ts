import { buildServiceContract } from "./build-service.contract.ts";
import { openProcessBuilder } from "./process-builder.ts";

buildServiceContract("process", () => openProcessBuilder());
buildServiceContract("process (without a sandbox)", () => openProcessBuilder({}, false));
