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
  readonly headers: Headers;
  text(): Promise<string>;
  /** The body as text, as it arrives. */
  chunks(): AsyncIterable<string>;
};

/** One request with the platform's fetch; what keeps an answer from coming becomes a Fault `unavailable`. */
export async function request({
  method,
  url,
  headers,
  body,
  signal,
  timeoutMs,
  idleMs,
}: HttpRequest): Promise<HttpAnswer> {
  const timeout = new AbortController();
  const source = watched(body);
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  const signals = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
  try {
    const response = await fetch(url, {
      method,
      headers,
      signal: signals,
      redirect: "manual",
      ...(body === undefined
        ? {}
        : { body: source.body as string, ...(typeof body === "string" ? {} : { duplex: "half" }) }),
    } as RequestInit);
    return {
      status: response.status,
      headers: response.headers,
      text: () => response.text().catch((error: unknown) => Promise.reject(broken(url, signal, error))),
      chunks: () => textOf(response, { url, signal, idleMs, cancel: () => timeout.abort() }),
    };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (source.failure) throw source.failure.error;
    throw new Fault(
      "unavailable",
      `${new URL(url).origin} ${timeout.signal.aborted ? `did not answer within ${timeoutMs / 1_000} s` : `cannot be reached (${causeOf(error)})`}: is the platform running, and is the address right?`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** A streamed body whose own failure (a file that cannot be read) is told apart from the network's. */
function watched(body: HttpRequest["body"]): {
  body: HttpRequest["body"];
  failure: { error: unknown } | undefined;
} {
  const source = { body, failure: undefined as { error: unknown } | undefined };
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

type Reading = {
  readonly url: string;
  readonly signal: AbortSignal | undefined;
  readonly idleMs: number | undefined;
  cancel(): void;
};

async function* textOf(response: Response, { url, signal, idleMs, cancel }: Reading): AsyncGenerator<string> {
  if (!response.body) return;
  const decoder = new TextDecoder();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    if (idleMs !== undefined) timer = setTimeout(cancel, idleMs);
  };
  try {
    watch();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      watch();
      yield decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    throw broken(url, signal, error);
  } finally {
    clearTimeout(timer);
  }
}

const broken = (url: string, signal: AbortSignal | undefined, error: unknown): unknown =>
  signal?.aborted
    ? signal.reason
    : new Fault("unavailable", `the connection to ${new URL(url).origin} broke off (${causeOf(error)})`, {
        cause: error,
      });

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}
