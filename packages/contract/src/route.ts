import type { z } from "zod";
import "./plain-words.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Shape = z.ZodType | undefined;

/** Who may call: `actor` needs a session or an API token, `cluster` a per-cluster token, `public` nobody in particular. */
export type Audience = "actor" | "cluster" | "public";

export type Route<
  P extends Shape = Shape,
  Q extends Shape = Shape,
  B extends Shape = Shape,
  R extends Shape = Shape,
> = {
  readonly id: string;
  readonly method: Method;
  /** Fastify's spelling: `/v1/projects/:project`. */
  readonly path: string;
  /** One sentence for the reference. */
  readonly summary: string;
  readonly area: string;
  readonly audience: Audience;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly status: number;
  readonly response: R;
  /** `stream`: the response is NDJSON of `response`; `bytes`: the body is raw. */
  readonly form: "json" | "stream" | "bytes";
  /** POSTs that create take an `Idempotency-Key`; a repeat within 24 h answers the first answer again. */
  readonly isIdempotent: boolean;
  /** Why a POST that creates takes none, and what a repeat of it does: a sentence for the reference. */
  readonly unkeyed: string | undefined;
};

type Definition<P extends Shape, Q extends Shape, B extends Shape, R extends Shape> = {
  id: string;
  method: Method;
  path: string;
  summary: string;
  area: string;
  audience?: Audience;
  params?: P;
  query?: Q;
  body?: B;
  status?: number;
  response?: R;
  form?: "json" | "stream" | "bytes";
  isIdempotent?: boolean;
  unkeyed?: string;
};

/** Declares a route: one symbol that the server registers, the client calls and the reference prints. */
export const route = <
  P extends Shape = undefined,
  Q extends Shape = undefined,
  B extends Shape = undefined,
  R extends Shape = undefined,
>(
  d: Definition<P, Q, B, R>,
): Route<P, Q, B, R> => ({
  id: d.id,
  method: d.method,
  path: d.path,
  summary: d.summary,
  area: d.area,
  audience: d.audience ?? "actor",
  params: d.params as P,
  query: d.query as Q,
  body: d.body as B,
  status: d.status ?? 200,
  response: d.response as R,
  form: d.form ?? "json",
  isIdempotent: d.isIdempotent ?? (d.method === "POST" && d.status === 201 && !d.unkeyed),
  unkeyed: d.unkeyed,
});

type In<S extends Shape, K extends string> = S extends z.ZodType
  ? Record<never, never> extends z.input<S>
    ? { readonly [k in K]?: z.input<S> }
    : { readonly [k in K]: z.input<S> }
  : unknown;
type Out<S extends Shape> = S extends z.ZodType ? z.output<S> : undefined;

/** What a caller hands in: `params`, `query`, `body`, each only where the route has it. */
export type CallInput<R extends Route> = In<R["params"], "params"> &
  In<R["query"], "query"> &
  In<R["body"], "body">;
/** What a handler is handed, parsed. */
export type HandlerInput<R extends Route> = {
  readonly params: Out<R["params"]>;
  readonly query: Out<R["query"]>;
  readonly body: Out<R["body"]>;
};
/** What a handler answers and a caller gets. */
export type CallOutput<R extends Route> = Out<R["response"]>;
export type ServeOutput<R extends Route> = R["response"] extends z.ZodType ? z.input<R["response"]> : void;
