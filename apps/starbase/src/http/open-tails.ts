import { Fault } from "@starform/std/fault";

/** Log tails one person may hold open at this API. */
export const tailsMax = 20;

/** Counts what each actor holds open; one more than allowed is refused before anything of it begins. */
export function openTails(max = tailsMax) {
  const open = new Map<string, number>();
  return {
    /** Runs `work` as one of the actor's; rejects with Fault `rate_limited` when they have enough of them. */
    async within<T>(userId: string, work: () => Promise<T>): Promise<T> {
      const held = open.get(userId) ?? 0;
      if (held >= max)
        throw new Fault(
          "rate_limited",
          `you follow ${max} logs already, and that is as many as one person may: end one of them (Ctrl-C, or close a tab), then try again`,
        );
      open.set(userId, held + 1);
      try {
        return await work();
      } finally {
        const left = (open.get(userId) ?? 1) - 1;
        if (left > 0) open.set(userId, left);
        else open.delete(userId);
      }
    },
  };
}
