import { isFault, wordsOf } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import { deployHead, type PushUpdate } from "./git-remote.ts";
import type { HeadLedger } from "./head-ledger.ts";
import type { Commit } from "./ports.ts";

export type ReconcileHeadsDeps = {
  readonly repositories: {
    /** Services that have a built-in repository. */
    serviceIds(): Promise<readonly string[]>;
    heads(serviceId: string): Promise<ReadonlyMap<string, string>>;
    commitOf(serviceId: string, sha: string, ref: string): Promise<Commit | undefined>;
  };
  readonly ledger: HeadLedger;
  /** Deploys a head in the platform's own name; a service that is gone is a Fault `not_found`. */
  readonly push: (serviceId: string, update: PushUpdate) => Promise<unknown>;
  readonly log: (text: string) => void;
  /** How long an unclaimed head is left to the push that may be bringing it this very moment; 5 s if not said. */
  readonly graceMs?: number;
};

/** A push that is being taken in right now is claimed and settled well within this. */
const stalledMs = 60_000;
const none = "0".repeat(40);

/**
 * Finds branches that were pushed and never handed on, because the API was killed in between, and deploys them. Run at
 * the Worker's start and now and then; it may run beside pushes and beside itself. Answers how many it handed on.
 */
export async function reconcileHeads(deps: ReconcileHeadsDeps): Promise<number> {
  const { repositories, ledger, push, log } = deps;
  let handedOn = 0;
  const attempt = async (serviceId: string, ref: string, sha: string, act: () => Promise<number>) => {
    try {
      const count = await act();
      handedOn += count;
      if (count > 0) log(`deployed ${ref} of service ${serviceId}, which was pushed and not handed on`);
    } catch (error) {
      if (!isFault(error)) throw error;
      await ledger.settle(serviceId, ref, sha);
      log(`${ref} of service ${serviceId} was pushed and cannot be deployed: ${wordsOf(error)}`);
    }
  };

  for (const { serviceId, ref, sha } of await ledger.reclaim(stalledMs))
    await attempt(serviceId, ref, sha, async () => {
      const commit = await repositories.commitOf(serviceId, sha, ref.replace(/^refs\/heads\//, ""));
      if (commit) await push(serviceId, { ref, oldSha: none, newSha: sha, commit });
      await ledger.settle(serviceId, ref, sha);
      return commit ? 1 : 0;
    });
  const unclaimed = await unclaimedHeads(deps);
  if (unclaimed.length > 0) await pause(deps.graceMs ?? 5_000);
  for (const { serviceId, ref, sha } of unclaimed)
    await attempt(serviceId, ref, sha, async () => {
      const move = { ref, oldSha: none, newSha: sha };
      const done = await deployHead(
        { commitOf: repositories.commitOf, ledger },
        serviceId,
        move,
        async (update) => [await push(serviceId, update)],
      );
      return done?.length ?? 0;
    });
  return handedOn;
}

async function unclaimedHeads({ repositories, ledger }: ReconcileHeadsDeps) {
  const found: { serviceId: string; ref: string; sha: string }[] = [];
  for (const serviceId of await repositories.serviceIds()) {
    const known = await ledger.known(serviceId);
    for (const [branch, sha] of await repositories.heads(serviceId)) {
      const ref = `refs/heads/${branch}`;
      if (known.get(ref) !== sha) found.push({ serviceId, ref, sha });
    }
  }
  return found;
}
