import { Fault } from "@starform/std/fault";

export type HttpRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<Uint8Array> | undefined;
  readonly signal: AbortSignal | undefined;
  /** Until the answer's head is there. */
  readonly timeoutMs: number;
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
}: HttpRequest): Promise<HttpAnswer> {
  const timeout = new AbortController();
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
        : { body: body as string, ...(typeof body === "string" ? {} : { duplex: "half" }) }),
    } as RequestInit);
    return {
      status: response.status,
      headers: response.headers,
      text: () => response.text(),
      chunks: () => textOf(response),
    };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new Fault(
      "unavailable",
      `${new URL(url).origin} ${timeout.signal.aborted ? `did not answer within ${timeoutMs / 1_000} s` : `cannot be reached (${causeOf(error)})`}: is the platform running, and is the address right?`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

async function* textOf(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
    yield decoder.decode(chunk, { stream: true });
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}
