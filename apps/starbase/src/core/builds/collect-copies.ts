import type { Clock } from "@starform/std/clock";
import type { Stores } from "../stores.ts";

/** A copy of what was fetched from somebody's Git host; the next fetch makes it anew. */
export type FetchedCopy = {
  /** Of the service or the proposal it was fetched for. */
  readonly id: string;
  /** When it was fetched into last. */
  readonly usedAt: Date;
};

export interface FetchedCopies {
  fetchedCopies(): Promise<readonly FetchedCopy[]>;
  /** Removes it unless it was fetched into since then; answers whether it is gone. */
  removeCopy(id: string, unusedSince: Date): Promise<boolean>;
}

const dayMs = 86_400_000;
const unusedDaysMax = 14;
/** Of what is no service's: a service that was deleted, or a proposal, which removes its own unless its Worker dies. */
const strayDaysMax = 1;

/** Removes copies that no service has, and those that were not fetched into for two weeks. Answers how many. */
export const collectCopies =
  ({ stores, copies, clock }: { stores: Pick<Stores, "services">; copies: FetchedCopies; clock: Clock }) =>
  async (signal: AbortSignal): Promise<number> => {
    const all = await copies.fetchedCopies();
    const known = await stores.services.existing(all.map(({ id }) => id));
    let removed = 0;
    for (const { id, usedAt } of all) {
      if (signal.aborted) break;
      const days = known.has(id) ? unusedDaysMax : strayDaysMax;
      const before = new Date(clock.now().getTime() - days * dayMs);
      if (usedAt < before && (await copies.removeCopy(id, before))) removed += 1;
    }
    return removed;
  };
