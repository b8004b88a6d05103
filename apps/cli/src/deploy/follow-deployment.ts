import { getDeployment, type Deployment } from "@starform/contract/deployments";
import { isFinal } from "@starform/contract/states";
import { isFault } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import type { Api } from "../context.ts";
import { exitCodes, ExitError } from "../exit-error.ts";

export type FollowOptions = {
  readonly signal: AbortSignal;
  /** How long the platform may be away before the command gives up. */
  readonly patienceMs?: number;
  /** Told when the platform does not answer, and with `undefined` when it does again. */
  onTrouble?(words: string | undefined): void;
};

const waitSeconds = 25;

/** What heals by itself: a restart of the API, a proxy between, a lost connection. */
export const mayHeal = (error: unknown): boolean =>
  isFault(error, "unavailable") || isFault(error, "internal") || isFault(error, "rate_limited");

/**
 * Every state a deployment goes through, and every place in line it has, until it has ended, by long polls: the one truth
 * about its outcome. One that stays in line is answered with each poll, for when its turn comes is seen ever better. A
 * platform that goes away is asked again with back-off for `patienceMs` (15 minutes).
 */
export async function* followDeployment(
  api: Api,
  id: string,
  options: FollowOptions,
): AsyncGenerator<Deployment> {
  const { signal, patienceMs = 15 * 60_000, onTrouble } = options;
  let seen: Seen | undefined;
  for (;;) {
    const askedAt = performance.now();
    const deployment = await patiently(() => ask(api, id, seen, signal), {
      signal,
      patienceMs,
      onTrouble,
      id,
    });
    const { revision, inLine } = deployment;
    const isNews = revision !== seen?.revision || inLine?.position !== seen.position;
    seen = { revision, position: inLine?.position };
    if (isNews || inLine) yield deployment;
    if (isFinal(deployment.status)) return;
    // A server that answers at once although nothing is new must not be asked in a circle.
    if (!isNews && performance.now() - askedAt < 500) await pause(500, signal);
    signal.throwIfAborted();
  }
}

type Seen = { readonly revision: number; readonly position: number | undefined };

const ask = (api: Api, id: string, seen: Seen | undefined, signal: AbortSignal) =>
  api.call(
    getDeployment,
    {
      params: { deployment: id },
      query: seen
        ? {
            seen: seen.revision,
            wait: waitSeconds,
            ...(seen.position !== undefined && { position: seen.position }),
          }
        : {},
    },
    { signal, timeoutMs: (waitSeconds + 20) * 1_000 },
  );

type Patience = {
  readonly signal: AbortSignal;
  readonly patienceMs: number;
  readonly onTrouble: FollowOptions["onTrouble"];
  readonly id: string;
};

async function patiently<T>(
  work: () => Promise<T>,
  { signal, patienceMs, onTrouble, id }: Patience,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await work();
      if (attempt > 1) onTrouble?.(undefined);
      return result;
    } catch (error) {
      if (signal.aborted || !mayHeal(error)) throw error;
      if (performance.now() > deadline)
        throw new ExitError(
          exitCodes.failed,
          `the platform has not answered for ${Math.round(patienceMs / 60_000)} min, so the outcome is not known; the deployment goes on there. Look later: starform deployments show ${id}`,
          { cause: error },
        );
      onTrouble?.((error as Error).message);
      await pause(backoffMs({ firstMs: 200, maxMs: 5_000 }, attempt), signal);
      signal.throwIfAborted();
    }
  }
}
