import { Problem } from "@starform/contract/problems";
import type { CallInput, CallOutput, Route } from "@starform/contract/route";
import { Fault, type FaultCode } from "@starform/std/fault";
import { request } from "./request.ts";
import type { Transport } from "./transport.ts";

export type ClientOptions = {
  readonly url: string;
  /** Asked before each call, so that a refreshed token is used at once. */
  readonly token?: () => string | undefined | Promise<string | undefined>;
  /** Names the caller in the server's logs. */
  readonly agent?: string;
  /** For one answer; streams have none. */
  readonly timeoutMs?: number;
  /** How requests are sent; fetch if left out. */
  readonly transport?: Transport;
};
export type CallOptions = {
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
  /** The checksum of what was read: a change over anything else is refused as `precondition_failed`. */
  readonly ifMatch?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** For streams: a silence longer than this is a broken connection. */
  readonly idleMs?: number;
};
export type Call = <R extends Route>(
  route: R,
  input: CallInput<R>,
  options?: CallOptions,
) => Promise<CallOutput<R>>;

/**
 * Calls over the contract: the answer is parsed by the route's own schema. A problem document becomes a Fault of its
 * code; a server that cannot be reached becomes `unavailable` with its address and what to try.
 */
export const client =
  (options: ClientOptions): Call =>
  async (route, input, callOptions = {}) => {
    const answer = await send(options, route, input as Input, callOptions);
    const text = await answer.text();
    if (answer.status >= 400) throw toFault(route, answer.status, text);
    if (answer.status >= 300) throw notThisApi(options, route, answer.status);
    if (route.response === undefined || answer.status === 204) return undefined as never;
    return parsed(options, route, text) as never;
  };

/** An answer by the route's schema; what does not fit it is told as what it most likely is. */
function parsed(options: ClientOptions, route: Route, text: string): unknown {
  const value = parseJson(text);
  if (value === undefined) throw notThisApi(options, route, 200);
  const result = route.response!.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new Fault(
    "malformed",
    `${options.url} answered ${route.method} ${route.path} in a form this client does not know (${path.join(".")}: ${message}): bring both to the same version`,
    { cause: result.error },
  );
}

const notThisApi = ({ url }: ClientOptions, route: Route, status: number): Fault =>
  new Fault(
    "malformed",
    `${url} answered ${route.method} ${route.path} with ${status} and no JSON: is it the address of Starform's API?`,
  );

type Input = { params?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown };

/** Sends a route's request and hands back the raw answer: for streams, uploads and ETags. */
export async function send(
  options: ClientOptions,
  route: Route,
  input: Input,
  callOptions: CallOptions = {},
) {
  const token = await options.token?.();
  const isBytes = route.form === "bytes";
  const transport = options.transport ?? request;
  return transport({
    method: route.method,
    url: options.url.replace(/\/$/, "") + pathOf(route, input),
    headers: {
      accept: "application/json",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(options.agent ? { "user-agent": options.agent } : {}),
      ...(callOptions.idempotencyKey ? { "idempotency-key": callOptions.idempotencyKey } : {}),
      ...(callOptions.ifMatch ? { "if-match": `"${callOptions.ifMatch}"` } : {}),
      ...(input.body === undefined
        ? {}
        : { "content-type": isBytes ? "application/gzip" : "application/json" }),
      ...callOptions.headers,
    },
    body:
      input.body === undefined
        ? undefined
        : isBytes
          ? (input.body as AsyncIterable<Uint8Array>)
          : JSON.stringify(input.body),
    signal: callOptions.signal,
    idleMs: callOptions.idleMs,
    timeoutMs: callOptions.timeoutMs ?? options.timeoutMs ?? 30_000,
  });
}

/** The path and query of a call. */
export function pathOf(route: Route, { params = {}, query = {} }: Input): string {
  const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null) search.set(name, String(value));
  return search.size > 0 ? `${path}?${search}` : path;
}

/** The Fault a refusal stands for; a body that is no problem document is quoted shortly. */
export function toFault(route: Route, status: number, text: string): Fault {
  const problem = Problem.safeParse(parseJson(text));
  if (problem.success)
    return new Fault(problem.data.code as FaultCode, problem.data.detail, {
      issues: problem.data.issues ?? [],
      detail: { status },
    });
  const way = status === 404 || status === 405 ? ". Is it the address of Starform's API?" : "";
  return new Fault(
    status >= 500 ? "unavailable" : "malformed",
    `${route.method} ${route.path} answered ${status}: ${text.slice(0, 200) || "nothing"}${way}`,
  );
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The items of a `stream` route as they arrive; blank lines are the server's sign of life. Ends when the server ends. */
export async function* streamItems<R extends Route>(
  options: ClientOptions,
  route: R,
  input: CallInput<R>,
  callOptions: CallOptions = {},
): AsyncGenerator<NonNullable<CallOutput<R>>> {
  const answer = await send(options, route, input as Input, callOptions);
  if (answer.status >= 400) throw toFault(route, answer.status, await answer.text());
  let rest = "";
  for await (const chunk of answer.chunks()) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield parsed(options, route, line) as never;
  }
}

type Listed<R extends Route> = CallOutput<R> extends { items: (infer T)[] } ? T : never;

/** All items of a paged route, page by page of the greatest size. */
export async function allItems<R extends Route>(
  call: Call,
  route: R,
  input: CallInput<R>,
): Promise<Listed<R>[]> {
  const query = { limit: 200, ...(input as Input).query };
  const items: Listed<R>[] = [];
  for await (const item of everyItem<R, Listed<R>>(call, route, {
    ...(input as object),
    query,
  } as CallInput<R>))
    items.push(item);
  return items;
}

/** Every page of a paged route, item by item. */
export async function* everyItem<R extends Route, T>(
  call: Call,
  route: R,
  input: CallInput<R>,
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const query = { ...(input as Input).query, ...(cursor ? { cursor } : {}) };
    const page = (await call(route, { ...(input as object), query } as CallInput<R>)) as {
      items: T[];
      nextCursor?: string;
    };
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor);
}
