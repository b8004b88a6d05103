import { rotateClusterToken } from "@starform/contract/cluster-records";
import { command, valueOf, word } from "../../command.ts";
import { ExitError, exitCodes } from "../../exit-error.ts";
import { credentialsPlace } from "./credentials.ts";

export const rotateToken = command<{ tokenFile?: string }, [string]>({
  brief: "replace a cluster's token; the old one is refused at once",
  detail:
    "What runs in the cluster runs on. Bring it the new token: starform cluster bootstrap --cluster-id <id> --token-file <file>.",
  flags: { tokenFile: valueOf("file", "where the token is written; standard output if left out") },
  positional: { kind: "tuple", parameters: [word("cluster", "its id")] },
  async run(context, { tokenFile }, cluster) {
    if (!(await context.confirm(`Cluster ${cluster} is refused until it has the new token. Go on?`)))
      throw new ExitError(exitCodes.failed, "nothing was changed");
    const { call } = await context.api();
    using place = credentialsPlace(context, tokenFile);
    const made = await call(
      rotateClusterToken,
      { params: { cluster } },
      { idempotencyKey: crypto.randomUUID() },
    );
    place.tell(made);
  },
});
