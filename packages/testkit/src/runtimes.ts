import { dockerAvailable } from "./docker-engine.ts";

export type StoryRuntime = { readonly name: "process" | "docker" };

/** Off until Shuttle's Docker engine runs the stories; then every story runs on both. */
const isDockerTold: boolean = false;

/** The runtimes that stories are told on: processes always, Docker where this machine has one. */
export const runtimes = (): StoryRuntime[] => [
  { name: "process" },
  ...(isDockerTold && dockerAvailable() ? [{ name: "docker" } as const] : []),
];
