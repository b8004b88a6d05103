import { request } from "node:http";

/**
 * Whether a loopback server answers the path with a success. Uses node:http with a limit, because a server that
 * accepts and closes before it answers must count as "not yet".
 */
export function isHttpReady(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ host: "127.0.0.1", port, path, timeout: 2_000, agent: false }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    sent.once("timeout", () => sent.destroy());
    sent.once("error", () => resolve(false));
    sent.once("close", () => resolve(false));
    sent.end();
  });
}
