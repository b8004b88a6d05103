import { request, type IncomingMessage } from "node:http";
import type { ImageCredentials } from "../engine.ts";

/** Debian's docker.io 20.10 speaks it, and so does everything since. */
const version = "/v1.41";
const answerMs = 60_000;
const pullMs = 600_000;

export type DockerAnswer = { readonly status: number; readonly body: unknown };

/** The Docker Engine's HTTP API over its socket. */
export type DockerApi = {
  /** Rejects when the engine cannot be reached, or with its own words for a status of 500 and above. */
  call(method: string, path: string, body?: unknown, timeoutMs?: number): Promise<DockerAnswer>;
  /** Brings an image from its registry. Rejects like `call`; a refusal stands in the answer's last line. */
  pull(image: string, credentials: ImageCredentials | undefined): Promise<DockerAnswer>;
  /** An answer that goes on; ends with the signal. Rejects like `call`. */
  stream(path: string, signal: AbortSignal): Promise<IncomingMessage>;
};

export const dockerApi = (socketPath: string): DockerApi => ({
  call: (method, path, body, timeoutMs = answerMs) => answerOf(socketPath, method, path, { body, timeoutMs }),
  pull: (image, credentials) =>
    answerOf(socketPath, "POST", `/images/create?fromImage=${encodeURIComponent(image)}`, {
      timeoutMs: pullMs,
      headers: credentials ? { "x-registry-auth": registryAuth(credentials) } : {},
    }),
  async stream(path, signal) {
    const response = await send(socketPath, "GET", path, { signal });
    if (response.statusCode === 200) return response;
    response.resume();
    throw new Error(`the Docker Engine answered ${response.statusCode} to GET ${path.split("?")[0]}`);
  },
});

async function answerOf(
  socketPath: string,
  method: string,
  path: string,
  options: Sending,
): Promise<DockerAnswer> {
  const response = await send(socketPath, method, path, options);
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  const status = response.statusCode ?? 0;
  const answer = { status, body: parse(text) };
  if (status >= 500)
    throw new Error(`the Docker Engine failed at ${method} ${path.split("?")[0]}: ${messageOf(answer)}`);
  return answer;
}

const registryAuth = ({ registry, username, password }: ImageCredentials): string =>
  Buffer.from(JSON.stringify({ username, password, serveraddress: registry })).toString("base64url");

/** The engine's words for what it refused. */
export const messageOf = ({ status, body }: DockerAnswer): string =>
  (body as { message?: string } | undefined)?.message?.trim() ?? `status ${status}`;

export const filters = (wanted: Record<string, readonly string[]>): string =>
  `filters=${encodeURIComponent(JSON.stringify(wanted))}`;

type Sending = {
  body?: unknown;
  timeoutMs?: number;
  signal?: AbortSignal;
  headers?: Readonly<Record<string, string>>;
};

function send(
  socketPath: string,
  method: string,
  path: string,
  { body, timeoutMs, signal, headers = {} }: Sending,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const asked = request(
      {
        socketPath,
        method,
        path: version + path,
        headers:
          text === undefined
            ? headers
            : { ...headers, "content-type": "application/json", "content-length": Buffer.byteLength(text) },
        ...(signal ? { signal } : {}),
        ...(timeoutMs ? { timeout: timeoutMs } : {}),
      },
      resolve,
    );
    asked.on("timeout", () =>
      asked.destroy(new Error(`the Docker Engine did not answer ${method} ${path.split("?")[0]} in time`)),
    );
    asked.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        ["ENOENT", "ECONNREFUSED"].includes(error.code ?? "")
          ? new Error(`the Docker Engine cannot be reached at ${socketPath}: is it running?`, {
              cause: error,
            })
          : error,
      ),
    );
    asked.end(text);
  });
}

/** One JSON value, or a stream of them a line each, of which the last one tells how it ended. */
function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return text
      .trim()
      .split("\n")
      .flatMap((line) => {
        try {
          return [JSON.parse(line) as unknown];
        } catch {
          return [];
        }
      });
  }
}
