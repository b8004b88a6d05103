import { allItems } from "@starform/client/client";
import { listTokens } from "@starform/contract/identity";
import { command } from "../../command.ts";
import { sayAgo } from "../../output/say-time.ts";
import { table } from "../../output/table.ts";

export const list = command({
  brief: "your API tokens",
  async run(context) {
    const { call } = await context.api();
    const items = await allItems(call, listTokens, {});
    const ago = (at: string | null) => sayAgo(at, context.host.now());
    context.answer(items, () =>
      items.length === 0
        ? "no tokens yet: starform tokens create <name>"
        : table(
            ["NAME", "BEGINS WITH", "SCOPE", "PROJECT", "MADE", "LAST USED", "EXPIRES", "ID"],
            items.map((t) => [
              t.name,
              t.prefix,
              t.scope,
              t.projectId ?? "all",
              ago(t.createdAt),
              ago(t.lastUsedAt),
              t.expiresAt ? ago(t.expiresAt) : "never",
              t.id,
            ]),
          ),
    );
  },
});
