import { digestOf } from "@starform/std/canonical-json";
import { Fault } from "@starform/std/fault";
import type { FastifyRequest } from "fastify";
import type { IdempotentRequest } from "../core/idempotency.ts";
import type { ServeDeps } from "./serve.ts";

/** More than any identifier has; each key is kept for a day. */
const keyCharsMax = 255;

export type Answered = { status: number; answer: unknown };

/**
 * Runs a creating request once per key, in one transaction with the record of its answer; a repeat is given the first
 * answer. Answers may hold secrets, so they are sealed.
 */
export const once = <D extends ServeDeps>(
  deps: D,
  request: FastifyRequest,
  key: string,
  run: (deps: D) => Promise<Answered>,
): Promise<Answered> => {
  if (key.length > keyCharsMax) throw refusals.too_long(key.length);
  return deps.inOneTransaction(deps, async (joined, idempotency) => {
    const asked = askedBy(request, key);
    const found = await idempotency.begin(asked);
    if (found.outcome === "done") return { status: found.status, answer: opened(deps, found.sealed) };
    if (found.outcome !== "begun") throw refusals[found.outcome]();
    const answered = await run(joined);
    const sealed = sealedBy(deps, answered.answer);
    await idempotency.finish(asked, { status: answered.status, sealed, at: deps.clock.now() });
    return answered;
  });
};

const refusals = {
  too_long: (length: number) =>
    new Fault(
      "invalid",
      `the Idempotency-Key has ${length} characters, and may have ${keyCharsMax}: take a UUID, or a hash of what is longer`,
    ),
  other_request: () =>
    new Fault(
      "idempotency_mismatch",
      "this Idempotency-Key was used for another request: use a new key for each new thing",
    ),
  running: () =>
    new Fault(
      "conflict",
      "the first request with this Idempotency-Key is still running: ask again in a moment",
    ),
};

function askedBy({ actor, method, url, body }: FastifyRequest, key: string): IdempotentRequest {
  const { userId, scope, workspaceId, projectId } = actor;
  // Another token of the same person is another caller: an answer that one may have had is not handed to it.
  const caller = { scope, workspaceId: workspaceId ?? null, projectId: projectId ?? null };
  return { userId, key: key.slice(0, 255), digest: digestOf({ method, url, body, caller }) };
}

function sealedBy({ box }: ServeDeps, answer: unknown): string {
  const { keyId, ciphertext } = box.seal(JSON.stringify(answer ?? null));
  return JSON.stringify({ keyId, ciphertext: ciphertext.toString("base64") });
}

function opened({ box }: ServeDeps, sealed: string): unknown {
  const { keyId, ciphertext } = JSON.parse(sealed) as { keyId: string; ciphertext: string };
  return JSON.parse(box.open({ keyId, ciphertext: Buffer.from(ciphertext, "base64") }));
}
