import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** Of `X-Registry-Auth`, taken apart. */
  readonly registryAuth: unknown;
};
type Answer = { status?: number; body?: unknown } | ((response: ServerResponse) => void) | undefined;

/** A Docker Engine that answers what a test says, for what a real one only does on a bad day. */
export async function openFakeDocker(
  answer: (asked: Asked) => Answer,
  dir = mkdtempSync(join(tmpdir(), "starform-docker-")),
) {
  const socketPath = join(dir, "docker.sock");
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
    const one: Asked = {
      method: request.method ?? "",
      path: decodeURIComponent((request.url ?? "").replace("/v1.41", "")),
      body: text === "" ? undefined : JSON.parse(text),
      registryAuth: readAuth(request.headers["x-registry-auth"]),
    };
    asked.push(one);
    const given = answer(one) ?? usual(one);
    if (typeof given === "function") return given(response);
    response
      .writeHead(given.status ?? 200, { "content-type": "application/json" })
      .end(given.body === undefined ? "" : JSON.stringify(given.body));
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const readAuth = (header: string | string[] | undefined): unknown =>
  typeof header === "string" ? JSON.parse(Buffer.from(header, "base64url").toString()) : undefined;

function usual({ method, path }: Asked): Exclude<Answer, undefined> {
  if (path === "/info") return { body: { NCPU: 2, MemTotal: 2 ** 32 } };
  if (path.startsWith("/events")) return (response) => void response.writeHead(200).flushHeaders();
  if (path.startsWith("/containers/json") || path.startsWith("/networks?")) return { body: [] };
  if (path.startsWith("/containers/create") || path === "/networks/create") return { status: 201, body: {} };
  return { status: method === "GET" ? 404 : 204 };
}

/** One line of a container's output as the engine sends it. */
export function frame(at: string, line: string): Buffer {
  const payload = Buffer.from(`${at} ${line}\n`);
  const head = Buffer.alloc(8);
  head[0] = 1;
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}
