import { sayDuration } from "@starform/std/duration";
import type { SupervisorEvent } from "../supervisor/program.ts";
import type { Say } from "./progress.ts";

const titles: Readonly<Record<string, string>> = {
  postgres: "PostgreSQL",
  metrics: "VictoriaMetrics",
  docker: "Docker Engine",
  telemetry: "Telemetry store",
  api: "Starbase API",
  worker: "Starbase Worker",
  shuttle: "Shuttle",
  gateway: "Gateway",
  registry: "Registry",
  "registry-door": "Registry for the cluster",
  stardeck: "Dashboard",
};

export const titleOf = (name: string): string => titles[name] ?? name;

/** Tells what happens to the processes, a line each. */
export const sayEvents =
  (say: Say) =>
  (event: SupervisorEvent): void => {
    const title = titleOf(event.name);
    if (event.kind === "ready") say(`✓ ${title} ready  ${sayDuration(event.afterMs)}`);
    else say(`✗ ${title} ${event.reason}; starting it again in ${sayDuration(event.againInMs)}`);
  };
