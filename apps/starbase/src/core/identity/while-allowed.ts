import { Fault, isFault } from "@starform/std/fault";
import type { Changes } from "../../ports/changes.ts";
import type { Actor } from "./actor.ts";
import type { LookAgain } from "./authenticate.ts";

export type Caller = {
  readonly authorization: string | undefined;
  /** Fires when the caller is gone. */
  readonly signal: AbortSignal;
  /** Rejects with a Fault when the actor may not go on. */
  readonly check: (actor: Actor) => Promise<unknown>;
};
export type WhileAllowed = <T>(caller: Caller, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/** A notice that came while the database was away is lost, and some ends are announced by nobody: a token's own, say. */
const everyMs = 10_000;

/**
 * Runs `work` for as long as the caller may. Its signal fires when the caller leaves, and at once when their token,
 * session, membership or role is taken away: then this rejects with the Fault that says so. Who asks for long, on one
 * request, is asked again and again who they are.
 */
export const whileAllowed =
  ({
    changes,
    lookAgain,
    lookEveryMs = everyMs,
  }: {
    changes: Pick<Changes, "on">;
    lookAgain: LookAgain;
    lookEveryMs?: number;
  }): WhileAllowed =>
  async ({ authorization, signal, check }, work) => {
    const ended = new AbortController();
    let refusal: Fault | undefined;
    const look = once(async () => {
      try {
        const actor = await lookAgain(authorization);
        if (!actor) throw new Fault("unauthenticated", "your access has ended: sign in again");
        await check(actor);
      } catch (error) {
        // A database that is away says nothing about the caller.
        if (!isFault(error) || error.code === "unavailable" || error.code === "internal") return;
        refusal = error;
        ended.abort();
      }
    });
    const stop = changes.on("identity", look);
    const looking = setInterval(look, lookEveryMs);
    try {
      const done = await work(AbortSignal.any([signal, ended.signal]));
      if (refusal) throw refusal;
      return done;
    } finally {
      clearInterval(looking);
      stop();
    }
  };

/** One look at a time; what is asked for meanwhile is one more afterwards. */
function once(work: () => Promise<void>): () => void {
  let [isRunning, isAsked] = [false, false];
  const run = async (): Promise<void> => {
    isRunning = true;
    do {
      isAsked = false;
      await work();
    } while (isAsked);
    isRunning = false;
  };
  return () => {
    isAsked = true;
    if (!isRunning) void run();
  };
}
