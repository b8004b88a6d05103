import type { ProposedService } from "@starform/contract/proposals";
import { createService, type Source } from "@starform/contract/services";
import { setVariables } from "@starform/contract/variables";
import { isFault } from "@starform/std/fault";
import type { Call } from "./client.ts";

/** A service as it was proposed, and corrected by a person. */
export type NewProposed = Pick<ProposedService, "name" | "type" | "settings" | "variables"> & {
  readonly source?: Source;
  /** The id of the proposal that it was chosen from. */
  readonly proposal?: string;
};

/** Variables that could not be set: what they refer to is not there. The service is all the same. */
export type Unset = { readonly service: string; readonly names: readonly string[]; readonly because: string };

/**
 * Makes services that were proposed, then sets their variables in the environment, without deploying anything. `made` are
 * the names of those that an earlier try has made; each that is made is added. Rejects with the fault of the first that
 * cannot be made.
 */
export async function createProposed(
  call: Call,
  { project, environment }: { readonly project: string; readonly environment: string },
  services: readonly NewProposed[],
  made: Set<string> = new Set(),
): Promise<Unset[]> {
  for (const { name, type, source, settings, proposal } of services) {
    if (made.has(name)) continue;
    const body = { name, type, settings, ...(source ? { source } : {}), ...(proposal ? { proposal } : {}) };
    await call(createService, { params: { project }, body }, { idempotencyKey: crypto.randomUUID() });
    made.add(name);
  }
  const unset: Unset[] = [];
  // All are there by now: one may refer to another, whichever comes first.
  for (const { name: service, variables } of services) {
    if (Object.keys(variables).length === 0) continue;
    const asked = { params: { project, service }, query: { environment } };
    await call(setVariables, { ...asked, body: { variables, deploy: false } }).catch((error: unknown) => {
      if (!isFault(error, "invalid") && !isFault(error, "not_found")) throw error;
      unset.push({ service, names: Object.keys(variables), because: error.message });
    });
  }
  return unset;
}
