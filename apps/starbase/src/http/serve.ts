import type { HandlerInput, Route, ServeOutput } from "@starform/contract/route";
import type { Clock } from "@starform/std/clock";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Cluster } from "../core/clusters/ports.ts";
import type { Actor } from "../core/identity/actor.ts";
import type { Authenticate } from "../core/identity/authenticate.ts";
import type { WhileAllowed } from "../core/identity/while-allowed.ts";
import type { IdempotencyStore } from "../core/idempotency.ts";
import type { SecretBox } from "../core/variables/ports.ts";
import { once } from "./once.ts";

export type ServeDeps = {
  readonly authenticate: Authenticate;
  /** The cluster a bearer token opens. */
  readonly authenticateCluster: (authorization: string | undefined, clusterId: string) => Promise<Cluster>;
  /** For what lasts longer than one look at who calls: tails, streams, waiting. */
  readonly whileAllowed: WhileAllowed;
  /** Runs `work` in one transaction, with dependencies that all work in it; done again whole after a deadlock. */
  readonly inOneTransaction: <D extends ServeDeps, T>(
    deps: D,
    work: (joined: D, idempotency: IdempotencyStore) => Promise<T>,
  ) => Promise<T>;
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

/**
 * Registers a route of the contract: who may call is settled, the input parsed, the answer held to its schema. A handler
 * of an idempotent route works with the dependencies it is handed and no others, or its work would not be kept together
 * with the record of its answer.
 */
export function serve<R extends Route, D extends ServeDeps>(
  app: FastifyInstance,
  deps: D,
  route: R,
  handler: (call: Call<R>, deps: D) => Promise<ServeOutput<R>>,
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
      const run = async (joined: D) => {
        const call = {
          params: request.params,
          query: request.query,
          body: request.body,
          actor: request.actor,
          cluster: request.cluster,
          request,
          reply,
          signal: signalOf(reply),
        } as Call<R>;
        return { status: route.status, answer: (await handler(call, joined)) as unknown };
      };
      const key = request.headers["idempotency-key"];
      const { status, answer } =
        route.isIdempotent && typeof key === "string" ? await once(deps, request, key, run) : await run(deps);
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
