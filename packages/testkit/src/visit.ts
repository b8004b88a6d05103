import { request, type Agent, type IncomingMessage } from "node:http";
import { until } from "@starform/std/retry";

export type Visit = {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  /** `false` opens a connection for this request alone. */
  readonly agent?: Agent | false;
};
export type Answer = {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
};

/** How long one answer is waited for: far beyond what a loaded machine needs. */
const patienceMs = 60_000;

/** Opens a request to an app at its public URL; no resolver has to know `*.localhost`. */
export function knock(url: string, { path = "/", method = "GET", agent = false }: Visit = {}) {
  const { host, port } = new URL(url);
  return request({ host: "127.0.0.1", port, path, method, agent, headers: { host }, timeout: patienceMs });
}

/** Asks an app as a browser would, and resolves to the whole answer. Rejects if the connection breaks. */
export function visit(url: string, asked: Visit = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = knock(url, asked);
    sent.once("error", reject);
    sent.once("timeout", () => sent.destroy(new Error(`${url} did not answer within ${patienceMs} ms`)));
    sent.once("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("error", reject);
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    });
    sent.end(asked.body);
  });
}

/** Resolves to the first answer of 200 that holds the text; rejects with the last that did not. */
export async function untilAnswers(url: string, text: string, { path = "/" }: Visit = {}): Promise<Answer> {
  let last: Answer | undefined;
  const look = async () => {
    last = await visit(url, { path });
    return last.status === 200 && last.body.includes(text) ? last : undefined;
  };
  return until(`${url}${path} to answer ${JSON.stringify(text)}`, look, {
    withinMs: 60_000,
    everyMs: 100,
  }).catch((error: Error) => {
    throw new Error(`${error.message}; it answered ${last?.status} ${last?.body.slice(0, 2_000)}`, {
      cause: error,
    });
  });
}
