import { listCronRuns } from "@starform/contract/services";
import { sayDuration } from "@starform/std/duration";
import { command, optionalWord } from "../../command.ts";
import { sayAgo } from "../../output/say-time.ts";
import { table } from "../../output/table.ts";
import { paramsOf, queryOf, serviceTarget } from "../../target.ts";

export const runs = command<{}, [string?]>({
  brief: "the latest runs of a cron service",
  positional: { kind: "tuple", parameters: [optionalWord("service", "which service (the linked one)")] },
  async run(context, _flags, name) {
    const api = await context.api();
    const target = await serviceTarget(context, api, name);
    const { items } = await api.call(listCronRuns, { params: paramsOf(target), query: queryOf(target) });
    context.answer(items, () =>
      items.length === 0
        ? `${target.service} has not run yet`
        : table(
            ["DUE", "OUTCOME", "TOOK", "REASON"],
            items.map(({ scheduledFor, startedAt, endedAt, outcome, reason }) => [
              sayAgo(scheduledFor, context.host.now()),
              outcome,
              startedAt && endedAt ? sayDuration(Date.parse(endedAt) - Date.parse(startedAt)) : "-",
              reason ?? "",
            ]),
          ),
    );
  },
});
