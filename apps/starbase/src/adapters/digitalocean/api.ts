import { Fault, wordsOf } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import { z } from "zod";

export type DigitalOceanOptions = {
  /** `https://api.digitalocean.com` */
  readonly url: string;
  readonly token: string;
  readonly timeoutMs?: number;
  /** How long one call may wait for the vendor's patience; 60 s if not said. */
  readonly patienceMs?: number;
};
export type DigitalOceanCall<T> = {
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** What is read of the answer; other fields are the vendor's business. Without it the answer is not read. */
  readonly answer?: z.ZodType<T>;
};

const triesMax = 4;
const backoff = { firstMs: 250, maxMs: 8_000 };

/**
 * DigitalOcean's API v2. What can heal by itself (a broken connection, 5xx, 429) is tried again where a repeat does no
 * harm: reading, deleting, and anything that was refused for its rate. Faults: `not_found` for 404, `conflict` for 409
 * and 412, `unavailable` for what did not heal; a refused token is `internal` with words for the operator.
 */
export function digitalOceanApi(options: DigitalOceanOptions) {
  const { url, token, timeoutMs = 30_000, patienceMs = 60_000 } = options;
  /** Until then the vendor wants no call; shared by all of this process. */
  let notBeforeMs = 0;

  const wait = async (method: string, path: string): Promise<void> => {
    const forMs = notBeforeMs - Date.now();
    if (forMs > patienceMs)
      throw new Fault(
        "unavailable",
        `DigitalOcean takes no more calls until ${new Date(notBeforeMs).toISOString()} (its rate limit); ${method} ${path} is for later`,
      );
    if (forMs > 0) await pause(forMs);
  };

  const once = async (method: string, path: string, query: DigitalOceanCall<unknown>["query"] = {}) => {
    await wait(method, path);
    const at = new URL(path, url);
    for (const [name, value] of Object.entries(query)) at.searchParams.set(name, String(value));
    const response = await fetch(at, {
      method,
      headers: { authorization: `Bearer ${token}`, accept: "application/json" },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    notBeforeMs = Math.max(notBeforeMs, restUntilMs(response));
    return { status: response.status, text };
  };

  async function call<T = undefined>(
    method: "GET" | "POST" | "DELETE",
    path: string,
    { query, answer }: DigitalOceanCall<T> = {},
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const got = await once(method, path, query).catch((error: unknown) => ({ error }));
      if ("error" in got && got.error instanceof Fault) throw got.error;
      if (!("error" in got) && got.status < 300)
        return answer ? read(answer, got.text, path) : (undefined as T);
      const mayRepeat = !("error" in got) && got.status === 429 ? true : method !== "POST" && heals(got);
      if (!mayRepeat || attempt === triesMax) throw faultOf(method, path, got);
      await pause(backoffMs(backoff, attempt));
    }
  }

  return {
    call,
    /** Every item of a list, page by page. */
    async all<T>(path: string, key: string, item: z.ZodType<T>): Promise<T[]> {
      const answer = z.object({
        [key]: z.array(item).default([]),
        links: z.object({ pages: z.object({ next: z.string().optional() }).optional() }).optional(),
      });
      const found: T[] = [];
      for (let page = 1; ; page++) {
        const got = await call("GET", path, { query: { page, per_page: 200 }, answer });
        found.push(...(got[key] as T[]));
        const { pages } = (got["links"] as { pages?: { next?: string } } | undefined) ?? {};
        if (!pages?.next) return found;
      }
    },
  };
}
export type DigitalOceanApi = ReturnType<typeof digitalOceanApi>;

type Got = { readonly status: number; readonly text: string } | { readonly error: unknown };

const heals = (got: Got): boolean => "error" in got || got.status >= 500;

/**
 * `retry-after` stands on the limit per minute only. `ratelimit-reset` is when the oldest call leaves the window, and
 * matters once none are left.
 */
function restUntilMs({ status, headers }: Response): number {
  const after = Number(headers.get("retry-after"));
  if (status === 429 && after > 0) return Date.now() + after * 1_000;
  const isSpent = headers.get("ratelimit-remaining") === "0";
  return isSpent ? Number(headers.get("ratelimit-reset") ?? 0) * 1_000 : 0;
}

const Problem = z.object({ id: z.string(), message: z.string(), request_id: z.string().optional() });

function faultOf(method: string, path: string, got: Got): Fault {
  const where = `${method} ${path}`;
  if ("error" in got)
    return new Fault("unavailable", `DigitalOcean cannot be reached (${where}): ${wordsOf(got.error)}`, {
      cause: got.error,
    });
  const { status, text } = got;
  const problem = problemIn(text);
  const words = problem?.message ?? `status ${status}`;
  const detail = { status, where, requestId: problem?.request_id };
  if (status === 401 || status === 403)
    return new Fault(
      "internal",
      `DigitalOcean refuses the token (${where}: ${words}): set STARBASE_DIGITALOCEAN_TOKEN to one with the scopes registry:read, registry:update and registry:delete`,
      { detail },
    );
  const code =
    status === 404
      ? "not_found"
      : status === 409 || status === 412
        ? "conflict"
        : status === 429 || status >= 500
          ? "unavailable"
          : "internal";
  return new Fault(code, `DigitalOcean answered ${status} to ${where}: ${words}`, { detail });
}

function problemIn(text: string): z.infer<typeof Problem> | undefined {
  try {
    return Problem.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function read<T>(answer: z.ZodType<T>, text: string, path: string): T {
  try {
    return answer.parse(JSON.parse(text));
  } catch (error) {
    throw new Fault("unavailable", `DigitalOcean's answer from ${path} cannot be read: ${wordsOf(error)}`, {
      cause: error,
    });
  }
}
