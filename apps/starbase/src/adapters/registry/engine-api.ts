import { request } from "node:http";
import { Fault } from "@starform/std/fault";

export type EngineAnswer = { readonly status: number; readonly body: unknown };
export type EngineCall = (
  method: "GET" | "POST" | "DELETE",
  path: string,
  headers?: Readonly<Record<string, string>>,
) => Promise<EngineAnswer>;

/** Debian's docker.io 20.10 speaks it, and so does everything since. */
const version = "/v1.41";
const timeoutMs = 60_000;

/** The Docker Engine's HTTP API over its socket. Rejects with Fault `unavailable` when it cannot be reached. */
export const engineApi =
  (socketPath: string): EngineCall =>
  (method, path, headers = {}) =>
    new Promise((resolve, reject) => {
      const fail = (error: Error) =>
        reject(
          new Fault("unavailable", `the Docker Engine at ${socketPath} cannot be reached: ${error.message}`, {
            cause: error,
          }),
        );
      const asked = request(
        { socketPath, method, path: version + path, headers, timeout: timeoutMs },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part: string) => (text += part));
          response.on("error", fail);
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body: read(text) }));
        },
      );
      asked.on("timeout", () => asked.destroy(new Error(`no answer to ${method} in a minute`)));
      asked.on("error", fail).end();
    });

/** The engine's words for what it refused. */
export const messageOf = ({ status, body }: EngineAnswer): string =>
  (body as { message?: string } | undefined)?.message?.trim() ?? `status ${status}`;

function read(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
