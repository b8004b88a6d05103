import type { StatusReport } from "@starform/contract/clusters";
import { recordDivergence, takeHealth } from "../../starbase/src/core/deployments/take-health.ts";
import type { PlacedService } from "../../starbase/src/core/services/ports.ts";
import type { UnitOfWork } from "../../starbase/src/core/stores.ts";

/** What Starbase's audit says of holds when one service's reports come in this order: by its own code. */
export async function auditOfHolds(reports: readonly StatusReport[]): Promise<readonly string[]> {
  const said: string[] = [];
  let place = { health: {} } as PlacedService;
  let health = place.health;
  const uow = {
    audit: {
      add: async ({ event, actor }: { event: string; actor: string }) => void said.push(`${event} ${actor}`),
    },
    services: {
      setHealth: async (_service: string, _environment: string, now: typeof health) => void (health = now),
    },
    projects: { touch: async () => undefined },
  } as unknown as UnitOfWork;
  const clock = { now: () => new Date(0) };
  for (const report of reports) {
    await takeHealth(uow, clock, "a project", place, report);
    await recordDivergence(uow, clock, "a project", place, report);
    place = { ...place, health };
  }
  return said;
}
