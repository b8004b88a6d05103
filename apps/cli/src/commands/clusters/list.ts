import { allItems } from "@starform/client/client";
import { listClusters } from "@starform/contract/cluster-records";
import { command } from "../../command.ts";
import { sayAgo } from "../../output/say-time.ts";
import { table } from "../../output/table.ts";

export const list = command({
  brief: "every cluster, and when it was last heard of",
  async run(context) {
    const { call } = await context.api();
    const items = await allItems(call, listClusters, {});
    context.answer(items, () =>
      items.length === 0
        ? "no clusters yet: starform cluster bootstrap --region <region>"
        : table(
            ["CLUSTER", "REGION", "RUNTIME", "SHUTTLE", "PODS", "PROJECTS", "SEEN"],
            items.map((cluster) => [
              cluster.id,
              cluster.region,
              cluster.runtime,
              cluster.shuttleVersion ?? "–",
              cluster.pods === null ? "–" : `${cluster.pods}/${cluster.podsSoftLimit ?? "?"}`,
              String(cluster.projects),
              cluster.lastSeenAt ? sayAgo(cluster.lastSeenAt, context.host.now()) : "never",
            ]),
          ),
    );
  },
});
