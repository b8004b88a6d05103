import { dockerAvailable } from "./docker-engine.ts";

export type StoryRuntime = { readonly name: "process" | "docker" };

/** The runtimes that stories are told on: processes always, Docker where this machine has one. */
export const runtimes = (): StoryRuntime[] => [
  { name: "process" },
  ...(dockerAvailable() ? [{ name: "docker" } as const] : []),
];
