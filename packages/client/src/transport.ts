import { Fault } from "@starform/std/fault";

export type HttpRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<Uint8Array> | undefined;
  readonly signal: AbortSignal | undefined;
  /** Until the answer's head is there. */
  readonly timeoutMs: number;
  /** Between two pieces of the body; undefined waits for ever. */
  readonly idleMs?: number | undefined;
};
export type HttpAnswer = {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
  /** The body as text, as it arrives. */
  chunks(): AsyncIterable<string>;
};

/**
 * Sends one request and resolves with the head of its answer. What keeps an answer from coming, or breaks it off, is a
 * Fault `unavailable`; a fired signal rejects with its reason; a body that fails rejects with its own error.
 */
export type Transport = (request: HttpRequest) => Promise<HttpAnswer>;

/** A streamed body whose own failure (a file that cannot be read) is told apart from the network's. */
export function watched<B extends HttpRequest["body"]>(body: B) {
  const source = {
    body: body as string | AsyncGenerator<Uint8Array> | undefined,
    failure: undefined as { error: unknown } | undefined,
  };
  if (body === undefined || typeof body === "string") return source;
  source.body = (async function* () {
    try {
      yield* body;
    } catch (error) {
      source.failure = { error };
      throw error;
    }
  })();
  return source;
}

export const silent = (url: string, timeoutMs: number): Fault =>
  new Fault("unavailable", `${originOf(url)} did not answer within ${timeoutMs / 1_000} s: ${advice}`);

export const unreachable = (url: string, error: unknown): Fault =>
  new Fault("unavailable", `${originOf(url)} cannot be reached (${causeOf(error)}): ${advice}`, {
    cause: error,
  });

export const broken = (url: string, error: unknown): Fault =>
  new Fault("unavailable", `the connection to ${originOf(url)} broke off (${causeOf(error)})`, {
    cause: error,
  });

const advice = "is the platform running, and is the address right?";
const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url);

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}
