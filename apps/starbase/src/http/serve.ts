import type { HandlerInput, Route, ServeOutput } from "@starform/contract/route";
import { digestOf } from "@starform/std/canonical-json";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Cluster } from "../core/clusters/ports.ts";
import type { Actor } from "../core/identity/actor.ts";
import type { Authenticate } from "../core/identity/authenticate.ts";
import type { IdempotencyStore } from "../core/idempotency.ts";
import type { SecretBox } from "../core/variables/ports.ts";

export type ServeDeps = {
  readonly authenticate: Authenticate;
  /** The cluster a bearer token opens. */
  readonly authenticateCluster: (authorization: string | undefined, clusterId: string) => Promise<Cluster>;
  readonly idempotency: IdempotencyStore;
  readonly box: SecretBox;
  readonly clock: Clock;
};
export type Exchange = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
};
type Call<R extends Route> = HandlerInput<R> & {
  readonly actor: Actor;
  readonly cluster: Cluster;
} & Exchange;

/** Registers a route of the contract: who may call is settled, the input parsed, the answer held to its schema. */
export function serve<R extends Route>(
  app: FastifyInstance,
  deps: ServeDeps,
  route: R,
  handler: (call: Call<R>) => Promise<ServeOutput<R>>,
): void {
  app.route({
    method: route.method,
    url: route.path,
    schema: schemaOf(route),
    config: { contract: route },
    onRequest: async (request) => {
      const { authorization } = request.headers;
      if (route.audience === "actor") request.actor = await deps.authenticate(authorization);
      if (route.audience === "cluster")
        request.cluster = await deps.authenticateCluster(
          authorization,
          (request.params as { id: string }).id,
        );
    },
    handler: async (request, reply) => {
      const run = async () => {
        const answer = await handler({
          params: request.params,
          query: request.query,
          body: request.body,
          actor: request.actor,
          cluster: request.cluster,
          request,
          reply,
          signal: signalOf(reply),
        } as Call<R>);
        return { status: route.status, answer: answer as unknown };
      };
      const key = request.headers["idempotency-key"];
      const { status, answer } =
        route.isIdempotent && typeof key === "string" ? await once(deps, request, key, run) : await run();
      if (reply.sent) return reply;
      reply.code(status);
      return answer ?? reply.send();
    },
  });
}

declare module "fastify" {
  interface FastifyRequest {
    actor: Actor;
    cluster: Cluster;
  }
  interface FastifyContextConfig {
    contract?: Route;
  }
}

const schemaOf = (route: Route) => ({
  operationId: route.id,
  summary: route.summary,
  tags: [route.area],
  ...(route.audience === "public" ? { security: [] } : {}),
  ...(route.params ? { params: route.params } : {}),
  ...(route.query ? { querystring: route.query } : {}),
  ...(route.body && route.form !== "bytes" ? { body: route.body } : {}),
  ...(route.response && route.form !== "stream" ? { response: { [route.status]: route.response } } : {}),
});

/** Fires when the caller is gone. It hangs on the answer, since a connection outlives many. */
function signalOf({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  raw.once("close", () => raw.writableFinished || controller.abort());
  return controller.signal;
}

type Answered = { status: number; answer: unknown };

/** Runs a creating request once per key; a repeat is given the first answer. Answers may hold secrets, so they are sealed. */
async function once(
  { idempotency, box, clock }: ServeDeps,
  request: FastifyRequest,
  key: string,
  run: () => Promise<Answered>,
): Promise<Answered> {
  const { userId, scope, workspaceId, projectId } = request.actor;
  // Another token of the same person is another caller: an answer that one may have had is not handed to it.
  const caller = { scope, workspaceId: workspaceId ?? null, projectId: projectId ?? null };
  const digest = digestOf({ method: request.method, url: request.url, body: request.body, caller });
  const found = await idempotency.begin(userId, key.slice(0, 255), digest, clock.now());
  if (found.outcome === "other_request")
    throw new Fault(
      "idempotency_mismatch",
      "this Idempotency-Key was used for another request: use a new key for each new thing",
    );
  if (found.outcome === "running")
    throw new Fault(
      "conflict",
      "the first request with this Idempotency-Key is still running: ask again in a moment",
    );
  if (found.outcome === "done") {
    const { keyId, ciphertext } = JSON.parse(found.sealed) as { keyId: string; ciphertext: string };
    return {
      status: found.status,
      answer: JSON.parse(box.open({ keyId, ciphertext: Buffer.from(ciphertext, "base64") })),
    };
  }
  try {
    const answered = await run();
    const { keyId, ciphertext } = box.seal(JSON.stringify(answered.answer ?? null));
    await idempotency.finish(
      userId,
      key.slice(0, 255),
      answered.status,
      JSON.stringify({ keyId, ciphertext: ciphertext.toString("base64") }),
    );
    return answered;
  } catch (error) {
    await idempotency.forget(userId, key.slice(0, 255));
    throw error;
  }
}
