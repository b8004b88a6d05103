import type { Plan } from "@starform/contract/plans";
import type { Clock } from "@starform/std/clock";
import { uuid } from "@starform/std/ids";
import type { Transact } from "../stores.ts";
import { hashOfSecret, prefixOf } from "./secret-token.ts";

/** Makes the owner of an embedded installation with their workspace `home` and token; again, it changes nothing. */
export const ensureOwner =
  ({ transact, clock, plan }: { transact: Transact; clock: Clock; plan: Plan }) =>
  ({ email, token }: { email: string; token: string }): Promise<void> =>
    transact(async ({ users, workspaces, tokens }) => {
      const now = clock.now();
      await users.insert({ id: uuid(now.getTime()), email, name: "Owner", createdAt: now });
      const owner = (await users.byEmail(email))!;
      let home = await workspaces.bySlug("home");
      if (!home) {
        home = { id: uuid(now.getTime()), slug: "home", name: "Home", plan, createdAt: now };
        await workspaces.insert(home);
        await workspaces.putMember({ workspaceId: home.id, userId: owner.id, role: "owner", createdAt: now });
      }
      await tokens.insert({
        id: uuid(now.getTime()),
        userId: owner.id,
        workspaceId: home.id,
        projectId: null,
        name: "owner (made at installation)",
        scope: "write",
        prefix: prefixOf(token),
        createdAt: now,
        expiresAt: null,
        lastUsedAt: null,
        secretHash: hashOfSecret(token),
      });
    });
