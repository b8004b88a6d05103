import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { allRoutes } from "@starform/contract/all-routes";
import type { CallOutput, HandlerInput, Route } from "@starform/contract/route";
import { Fault, faultCodes, isFault } from "@starform/std/fault";

export type Handled = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly bytes: Buffer;
};
export type Handler = (input: HandlerInput<Route>, at: Handled) => unknown;
export type Handlers = Record<string, Handler>;

/** Gives a route its answer, typed by the contract. */
export const on = <R extends Route>(
  route: R,
  handle: (
    input: HandlerInput<R>,
    at: Handled,
  ) => CallOutput<R> | Promise<CallOutput<R>> | AsyncIterable<CallOutput<R>>,
): Handlers => ({ [route.id]: handle as Handler });

export type FakePlatform = AsyncDisposable & {
  readonly url: string;
  readonly token: string;
  /** Every call that fitted the contract, as `id` of its route with what came in. */
  readonly calls: { id: string; input: HandlerInput<Route>; headers: IncomingMessage["headers"] }[];
  /** Cuts every connection, and refuses new ones until `up()`. */
  down(): void;
  up(): void;
};

/**
 * A Starbase made from the contract: each request is validated by its route's own schemas, each answer too. A call
 * without a handler, or one that does not fit, is a problem as the real one would send it; so is one that creates and
 * could not be repeated.
 */
export async function fakePlatform(
  handlers: Handlers,
  token = "sf_test_token_0123456789",
): Promise<FakePlatform> {
  const calls: FakePlatform["calls"] = [];
  const streams = new Set<ServerResponse>();
  let isDown = false;
  const server = createServer((request, response) => {
    if (isDown) return void request.socket.destroy();
    serve(request, response).catch((error: unknown) => refuse(response, error));
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    const found = allRoutes
      .map((route) => ({ route, params: matchPath(route, url.pathname) }))
      .find(({ route, params }) => params && route.method === request.method);
    if (!found) throw new Fault("not_found", `no route ${request.method} ${url.pathname}`);
    const { route } = found;
    if (route.audience === "actor" && request.headers.authorization !== `Bearer ${token}`)
      throw new Fault("unauthenticated", "the token is wrong or has expired");
    const bytes = await buffer(request);
    const input = {
      params: parse(route.params, found.params, "params"),
      query: parse(route.query, Object.fromEntries(url.searchParams), "query"),
      body:
        route.form === "bytes"
          ? undefined
          : parse(route.body, bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined, "body"),
    } as HandlerInput<Route>;
    calls.push({ id: route.id, input, headers: request.headers });
    if (route.isIdempotent && !request.headers["idempotency-key"])
      throw new Fault("malformed", `${route.id} was called without an Idempotency-Key`);
    const handle = handlers[route.id];
    if (!handle) throw new Fault("internal", `the test has no answer for ${route.id}`);
    const answer = await handle(input, { request, response, bytes });
    if (response.writableEnded || response.destroyed) return;
    if (route.form === "stream") return stream(response, answer as AsyncIterable<unknown>, streams);
    response.writeHead(route.status, { "content-type": "application/json" });
    response.end(route.response ? JSON.stringify(route.response.parse(answer)) : undefined);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    calls,
    down() {
      isDown = true;
      server.closeAllConnections();
    },
    up: () => void (isDown = false),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function stream(
  response: ServerResponse,
  items: AsyncIterable<unknown>,
  open: Set<ServerResponse>,
): Promise<void> {
  open.add(response);
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  for await (const item of items) {
    if (response.destroyed) return;
    response.write(`${JSON.stringify(item)}\n`);
  }
  response.end();
}

function matchPath(route: Route, pathname: string): Record<string, string> | undefined {
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const match = new RegExp(`^${route.path.replaceAll(/:\w+/g, "([^/]+)")}$`).exec(pathname);
  return match
    ? Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1]!)]))
    : undefined;
}

function parse(schema: Route["body"], value: unknown, where: string): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => ({
    path: [where, ...path].join("."),
    message,
  }));
  throw new Fault("invalid", "the request does not fit", { issues });
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const fault = isFault(error) ? error : new Fault("internal", String((error as Error).stack ?? error));
  const status = faultCodes[fault.code];
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(
    JSON.stringify({
      type: `/problems/${fault.code}`,
      title: fault.code,
      status,
      code: fault.code,
      detail: fault.message,
      issues: fault.issues,
    }),
  );
}
