import { closeSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import type { ClusterCredentials } from "@starform/contract/cluster-records";
import type { Context } from "../../context.ts";
import { usageError } from "../../exit-error.ts";

/** Where new credentials go; it is opened before they are made, or a token nobody can read would be the cluster's. */
export type CredentialsPlace = Disposable & { tell(made: ClusterCredentials): void };

/** A file that only its owner may read, or else, once, standard output and nothing with it. */
export function credentialsPlace(context: Context, tokenFile: string | undefined): CredentialsPlace {
  if (!tokenFile)
    return {
      tell(made) {
        context.answer(made, () => made.token);
        if (!context.isJson)
          context.note(`cluster ${made.cluster.id}; keep the token now: it is not shown again`);
      },
      [Symbol.dispose]: () => undefined,
    };
  const path = resolve(context.host.cwd, tokenFile);
  const file = openFresh(path);
  return {
    tell(made) {
      writeSync(file, `${made.token}\n`);
      const { token: _token, ...rest } = made;
      context.answer({ ...rest, tokenFile: path }, () => made.cluster.id);
      if (!context.isJson) context.note(`the token of cluster ${made.cluster.id} is in ${path}`);
    },
    [Symbol.dispose]: () => closeSync(file),
  };
}

function openFresh(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    throw usageError(
      `the token cannot be written to ${path} (${String(error)}): name a file that is not there yet`,
    );
  }
}
