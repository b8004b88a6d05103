import { broken, silent, unreachable, watched, type HttpRequest, type Transport } from "./transport.ts";

/** The transport over the platform's fetch: browsers and servers. */
export const request: Transport = async ({ method, url, headers, body, signal, timeoutMs, idleMs }) => {
  const timeout = new AbortController();
  const source = watched(body);
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  const signals = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
  const told = (error: unknown) => (signal?.aborted ? signal.reason : broken(url, error));
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
      text: () => response.text().catch((error: unknown) => Promise.reject(told(error))),
      chunks: () => textOf(response, { idleMs, told, cancel: () => timeout.abort() }),
    };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (source.failure) throw source.failure.error;
    throw timeout.signal.aborted ? silent(url, timeoutMs) : unreachable(url, error);
  } finally {
    clearTimeout(timer);
  }
};

type Reading = Pick<HttpRequest, "idleMs"> & { told(error: unknown): unknown; cancel(): void };

async function* textOf(response: Response, { idleMs, told, cancel }: Reading): AsyncGenerator<string> {
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
    throw told(error);
  } finally {
    clearTimeout(timer);
  }
}
