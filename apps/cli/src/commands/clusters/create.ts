import { createCluster } from "@starform/contract/cluster-records";
import { command, valueOf } from "../../command.ts";
import { usageError } from "../../exit-error.ts";
import { credentialsPlace } from "./credentials.ts";

export const create = command<{ region?: string; tokenFile?: string }>({
  brief: "make the record of a cluster and its token",
  detail: "starform cluster bootstrap does this by itself for a new cluster.",
  flags: {
    region: valueOf("region", "like nyc3"),
    tokenFile: valueOf("file", "where the token is written; standard output if left out"),
  },
  async run(context, { region, tokenFile }) {
    if (!region) throw usageError("in which region? Add --region");
    const { call } = await context.api();
    using place = credentialsPlace(context, tokenFile);
    const made = await call(createCluster, { body: { region } }, { idempotencyKey: crypto.randomUUID() });
    place.tell(made);
  },
});
