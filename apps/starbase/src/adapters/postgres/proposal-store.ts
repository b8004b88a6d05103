import type { ProposalStatus } from "@starform/contract/proposals";
import type { Selectable } from "kysely";
import type { Found, Proposal, ProposalStore } from "../../core/proposals/ports.ts";
import type { Db } from "./database.ts";
import { json } from "./json.ts";
import type { Proposals } from "./schema.gen.ts";

const open = ["queued", "running"];

export const postgresProposalStore = (db: Db): ProposalStore => ({
  async insert(proposal) {
    await db
      .insertInto("proposals")
      .values({
        id: proposal.id,
        workspace_id: proposal.workspaceId,
        project_id: proposal.projectId,
        url: proposal.url,
        ref: proposal.ref,
        status: proposal.status,
        created_by: proposal.createdBy,
        created_at: proposal.createdAt,
        expires_at: proposal.expiresAt,
      })
      .execute();
  },
  async byId(projectId, id) {
    const row = await db
      .selectFrom("proposals")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .executeTakeFirst();
    return row && toProposal(row);
  },
  async countOpen(workspaceId) {
    const { count } = await db
      .selectFrom("proposals")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("workspace_id", "=", workspaceId)
      .where("status", "in", open)
      .executeTakeFirstOrThrow();
    return count;
  },
  async openBefore(before) {
    const rows = await db
      .selectFrom("proposals")
      .selectAll()
      .where("status", "in", open)
      .where("created_at", "<", before)
      .execute();
    return rows.map(toProposal);
  },
  async begin(projectId, id) {
    const row = await db
      .updateTable("proposals")
      .set({ status: "running" })
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .where("status", "in", open)
      .returningAll()
      .executeTakeFirst();
    return row && toProposal(row);
  },
  async end(projectId, id, how, at) {
    const row = await db
      .updateTable("proposals")
      .set({
        status: how.status,
        ended_at: at,
        ...(how.status === "ready" ? { found: json(how.found) } : { reason: how.reason, hint: how.hint }),
      })
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .where("status", "in", open)
      .returningAll()
      .executeTakeFirst();
    return row && toProposal(row);
  },
  async prune(now) {
    await db.deleteFrom("proposals").where("expires_at", "<", now).execute();
  },
});

const toProposal = (row: Selectable<Proposals>): Proposal => ({
  id: row.id,
  workspaceId: row.workspace_id,
  projectId: row.project_id,
  url: row.url,
  ref: row.ref,
  status: row.status as ProposalStatus,
  reason: row.reason,
  hint: row.hint,
  found: row.found as Found | null,
  createdBy: row.created_by,
  createdAt: row.created_at,
  endedAt: row.ended_at,
  expiresAt: row.expires_at,
});
