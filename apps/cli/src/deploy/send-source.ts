import { createDeployment, uploadSource, type Deployment } from "@starform/contract/deployments";
import type { CallInput } from "@starform/contract/route";
import { readStarformFile } from "@starform/build-plan/starform-file";
import { Fault } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import type { Api, Context } from "../context.ts";
import { sayBytes } from "../output/say-time.ts";
import type { FolderEntry } from "../source/folder-entry.ts";
import { packFolder } from "../source/pack-folder.ts";
import { walkFolder } from "../source/walk-folder.ts";
import { paramsOf, queryOf, type Target } from "../target.ts";
import { mayHeal } from "./follow-deployment.ts";

/** Looks through a folder before anything is made anywhere: what cannot be sent is refused here. */
export async function readSource(context: Context, folder: string): Promise<readonly FolderEntry[]> {
  context.progress.say("Reading the folder");
  const entries = await walkFolder(folder, context.host.sourceLimits);
  const file = await readStarformFile(folder);
  if (file.kind === "refused") throw new Fault("invalid", file.message);
  return entries;
}

/** Packs and sends a folder; resolves to what to deploy. */
export async function sendSource(
  context: Context,
  api: Api,
  target: Target,
  folder: string,
  entries: readonly FolderEntry[],
) {
  const files = entries.filter(({ kind }) => kind !== "folder").length;
  const answer = await untilThere(context, () => {
    const body = counted(packFolder(folder, entries, context.host.sourceLimits), (sent) =>
      context.progress.say("Sending the folder", `${files} files, ${sayBytes(sent)}`),
    );
    return api.call(uploadSource, { params: paramsOf(target), body } as never, { timeoutMs: 30 * 60_000 });
  });
  if (context.isJson) context.jsonLine({ event: "source", ...answer, files });
  else context.progress.say("Sent the folder", `${files} files, ${sayBytes(answer.sizeBytes)}`);
  return answer;
}

type DeployBody = NonNullable<CallInput<typeof createDeployment>["body"]>;

/** Asks for a deployment once, however often the connection breaks: a repeat carries the same key. */
export function startDeployment(
  context: Context,
  api: Api,
  target: Target,
  body: DeployBody,
): Promise<Deployment> {
  const idempotencyKey = crypto.randomUUID();
  return untilThere(context, () =>
    api.call(
      createDeployment,
      { params: paramsOf(target), query: queryOf(target), body },
      { idempotencyKey },
    ),
  );
}

/** Tries again for half a minute while the platform is away (a restart), then says why not. */
async function untilThere<T>({ host, progress }: Context, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (host.interrupted.aborted || !mayHeal(error) || performance.now() > deadline) throw error;
      progress.say("Waiting for the platform", (error as Error).message);
      await pause(backoffMs({ firstMs: 300, maxMs: 5_000 }, attempt), host.interrupted);
    }
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  onSent: (total: number) => void,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  let shownAt = 0;
  for await (const chunk of bytes) {
    total += chunk.length;
    if (performance.now() - shownAt > 100) {
      onSent(total);
      shownAt = performance.now();
    }
    yield chunk;
  }
}
