import { isFault } from "@starform/std/fault";
import type { Commit } from "./ports.ts";
import type { HeadLedger } from "./head-ledger.ts";

/** Who is at a repository, and which. The rest of it is for whoever made it. */
export type GitAccess = { readonly serviceId: string };

/** One ref that a push moved; a sha of zeros is none. */
export type RefMove = { readonly ref: string; readonly oldSha: string; readonly newSha: string };
export type PushUpdate = RefMove & { readonly commit: Commit };

/** What became of a pushed branch in one environment, or why nothing did. */
export type PushOutcome =
  | {
      readonly kind: "deploying";
      readonly deploymentId: string;
      readonly environment: string;
      readonly number: number;
    }
  /** One sentence: which branch would deploy, that the environment is protected … */
  | { readonly kind: "nothing"; readonly message: string };

export type FollowEnd = {
  readonly status: string;
  readonly url: string | null;
  readonly reason: string | null;
};

export type GitRequest = {
  readonly serviceId: string;
  readonly path: "info/refs" | "git-upload-pack" | "git-receive-pack";
  readonly method: "GET" | "POST";
  readonly query: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentLength: string | undefined;
  /** The client's `Git-Protocol` header. */
  readonly protocol: string | undefined;
  readonly body: AsyncIterable<Uint8Array> | undefined;
};
export type GitResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
};

/** Speaks Git's smart HTTP protocol for the built-in repositories. */
export interface GitBackend {
  /**
   * Serves one request. After a push has been taken in, `onReceived` is called once with what moved; what it says
   * reaches the pusher line by line, and the response ends when it does. The push stands, whatever it does.
   */
  serve(
    request: GitRequest,
    onReceived?: (moves: readonly RefMove[], say: (line: string) => void) => Promise<void>,
  ): Promise<GitResponse>;
}

export type TellPushDeps<A extends GitAccess> = {
  readonly commitOf: (serviceId: string, sha: string, ref: string) => Promise<Commit | undefined>;
  readonly ledger: HeadLedger;
  readonly push: (access: A, update: PushUpdate) => Promise<readonly PushOutcome[]>;
  readonly follow: (
    deploymentId: string,
    onLine: (text: string) => void,
    signal: AbortSignal,
  ) => Promise<FollowEnd>;
};

/**
 * Deploys what was pushed and tells the pusher how it goes. First all branches are handed on, then they are followed: a
 * pusher who leaves ends the telling (`signal`), never a deployment.
 */
export async function tellPush<A extends GitAccess>(
  deps: TellPushDeps<A>,
  access: A,
  moves: readonly RefMove[],
  talk: { say: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const { say, signal } = talk;
  const deploying: Extract<PushOutcome, { kind: "deploying" }>[] = [];
  for (const move of moves)
    for (const outcome of await handOn(deps, access, move))
      if (outcome.kind === "deploying") deploying.push(outcome);
      else say(outcome.message);
  for (const { deploymentId, environment, number } of deploying) {
    if (signal.aborted) return;
    say(`deploying #${number} to ${environment} (closing this changes nothing: the deployment goes on)`);
    const end = await deps.follow(deploymentId, say, signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      return { status: "unknown", url: null, reason: error instanceof Error ? error.message : String(error) };
    });
    if (end) for (const line of endLines(end)) say(line);
  }
}

const zeros = /^0+$/;

async function handOn<A extends GitAccess>(
  deps: TellPushDeps<A>,
  access: A,
  move: RefMove,
): Promise<readonly PushOutcome[]> {
  const nothing = (message: string): PushOutcome[] => [{ kind: "nothing", message }];
  const branch = /^refs\/heads\/(.+)$/.exec(move.ref)?.[1];
  if (branch === undefined) {
    const tag = /^refs\/tags\/(.+)$/.exec(move.ref)?.[1];
    return nothing(
      tag
        ? `tag ${tag}: kept, but tags do not deploy; push a branch`
        : `${move.ref}: kept, but only branches deploy`,
    );
  }
  if (zeros.test(move.newSha)) {
    await deps.ledger.forget(access.serviceId, move.ref);
    return nothing(`branch ${branch} deleted: nothing to deploy, what runs keeps running`);
  }
  try {
    const outcomes = await deployHead(deps, access.serviceId, move, (update) => deps.push(access, update));
    return (
      outcomes ?? nothing(`${branch}: this commit was handed on before; see it with \`starform deployments\``)
    );
  } catch (error) {
    if (!isFault(error)) throw error;
    await deps.ledger.settle(access.serviceId, move.ref, move.newSha);
    return nothing(`${branch}: not deployed: ${error.message}`);
  }
}

/** Hands one head on; undefined if another process has: whoever claims it in the ledger does it. */
export async function deployHead<T>(
  { commitOf, ledger }: Pick<TellPushDeps<GitAccess>, "commitOf" | "ledger">,
  serviceId: string,
  move: RefMove,
  push: (update: PushUpdate) => Promise<readonly T[]>,
): Promise<readonly T[] | undefined> {
  if (!(await ledger.claim(serviceId, move.ref, move.newSha))) return undefined;
  const branch = move.ref.replace(/^refs\/heads\//, "");
  const commit = await commitOf(serviceId, move.newSha, branch);
  if (!commit) {
    await ledger.settle(serviceId, move.ref, move.newSha);
    return [];
  }
  const outcomes = await push({ ...move, commit });
  await ledger.settle(serviceId, move.ref, move.newSha);
  return outcomes;
}

function endLines({ status, url, reason }: FollowEnd): string[] {
  if (status === "deployed") return ["", url ? `deployed: ${url}` : "deployed", ""];
  const why = reason ? `: ${reason}` : "";
  return status === "failed" || status === "cancelled"
    ? [
        "",
        ...`${status}${why}`.split("\n"),
        ...(status === "failed" ? ["what ran before keeps running"] : []),
        "",
      ]
    : ["", `the deployment is ${status}${why}; see it with \`starform deployments\``, ""];
}
