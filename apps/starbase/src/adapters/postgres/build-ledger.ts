import { randomUUID } from "node:crypto";
import { wordsOf } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import { sql } from "kysely";
import type { BuildLease, BuildLedger, LedgerImage } from "../buildkit/build-ledger.ts";
import type { Db } from "./database.ts";

export type LedgerOptions = {
  /** How long a build stays with a Worker that says nothing. */
  readonly leaseMs?: number;
  /** Whether a recorded image can still be had. */
  readonly isThere: (image: LedgerImage) => Promise<boolean>;
  /** For the operator. */
  readonly log: (text: string) => void;
};

type Build = { readonly buildId: string; readonly workspaceId: string };
/** Leases are renewed so often within their length that one lost answer does no harm. */
const renewals = 3;

/** A ledger for builders that Workers on several machines share: leases in the database, by its clock. */
export function postgresBuildLedger(db: Db, { leaseMs = 15_000, isThere, log }: LedgerOptions): BuildLedger {
  const until = sql<Date>`now() + ${`${leaseMs} milliseconds`}::interval`;

  async function imageOf({ buildId, workspaceId }: Build): Promise<LedgerImage | undefined> {
    const row = await db
      .selectFrom("build_leases")
      .select("image")
      .where("build_id", "=", buildId)
      .where("workspace_id", "=", workspaceId)
      .executeTakeFirst();
    const image = (row?.image ?? undefined) as LedgerImage | undefined;
    return image && (await isThere(image)) ? image : undefined;
  }

  /** Free, or left by one who said nothing for too long: one statement, so that two cannot both have it. */
  async function claim({ buildId, workspaceId }: Build, holder: string): Promise<boolean> {
    const row = await db
      .insertInto("build_leases")
      .values({ build_id: buildId, workspace_id: workspaceId, holder, held_until: until })
      .onConflict((on) =>
        on
          .column("build_id")
          .doUpdateSet({ holder, held_until: until })
          .where((eb) =>
            eb.or([
              eb("build_leases.holder", "is", null),
              eb("build_leases.held_until", "<", sql<Date>`now()`),
            ]),
          ),
      )
      .returning("build_id")
      .executeTakeFirst();
    return row !== undefined;
  }

  function leaseOf({ buildId }: Build, holder: string): BuildLease {
    const [lost, over] = [new AbortController(), new AbortController()];
    const own = () =>
      db.updateTable("build_leases").where("build_id", "=", buildId).where("holder", "=", holder);
    const renewing = (async () => {
      let renewedAt = performance.now();
      for (;;) {
        await pause(leaseMs / renewals, over.signal);
        if (over.signal.aborted) return;
        const kept = await own()
          .set({ held_until: until })
          .executeTakeFirst()
          .then(
            ({ numUpdatedRows }) => numUpdatedRows > 0n,
            (error: unknown) => (log(`a build's lease was not renewed: ${wordsOf(error)}`), undefined),
          );
        if (kept) renewedAt = performance.now();
        if (kept === false || performance.now() - renewedAt > leaseMs) return lost.abort();
      }
    })();
    return {
      lost: lost.signal,
      async succeed(image) {
        const { numUpdatedRows } = await own()
          .set({ image: JSON.stringify(image) })
          .executeTakeFirst();
        if (numUpdatedRows === 0n) {
          lost.abort();
          throw new Error(`build ${buildId} is another Worker's by now`);
        }
      },
      async release() {
        over.abort();
        await renewing;
        await own().set({ holder: null }).execute();
      },
    };
  }

  return {
    async take(build) {
      const holder = randomUUID();
      if (!(await claim(build, holder))) return { kind: "taken", by: "another Worker" };
      const lease = leaseOf(build, holder);
      try {
        if (!(await imageOf(build))) return { kind: "held", lease };
      } catch (error) {
        await lease.release();
        throw error;
      }
      await lease.release();
      return { kind: "built" };
    },

    async of(build) {
      const image = await imageOf(build);
      if (image) return image;
      const held = await db
        .selectFrom("build_leases")
        .select("build_id")
        .where("build_id", "=", build.buildId)
        .where("workspace_id", "=", build.workspaceId)
        .where("holder", "is not", null)
        .where("held_until", ">", sql<Date>`now()`)
        .executeTakeFirst();
      return held ? "running" : "unknown";
    },
  };
}

/** Leases of builds that ended long ago; a receipt names its image itself. */
export const pruneBuildLeases = async (db: Db, before: Date): Promise<void> =>
  void (await db.deleteFrom("build_leases").where("held_until", "<", before).execute());
