import { request, type IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

/** The few calls of a Docker Engine's API that builds need beside BuildKit. */
export type Engine = {
  /** Undefined when the engine does not have the image. */
  image(reference: string): Promise<{ id: string; sizeBytes: number } | undefined>;
  /**
   * Takes away the names of a repository that stand for this image; its files go with its last name. One that is
   * gone already is no error; one that a container uses rejects.
   */
  removeImage(repo: string, id: string): Promise<void>;
  /** Makes an image of one layer from a tar stream; resolves to its id. */
  importImage(
    tar: Readable,
    image: { repo: string; tag: string; changes?: readonly string[] },
  ): Promise<string>;
};

const timeoutMs = 30_000;
/** The engine says nothing while it unpacks. */
const importTimeoutMs = 600_000;

export const dockerEngine = (socketPath: string): Engine => ({
  async image(reference) {
    const { status, body } = await call(socketPath, "GET", `/images/${encodeURIComponent(reference)}/json`);
    if (status === 404) return undefined;
    const found = JSON.parse(expectOk(status, body)) as { Id: string; Size: number };
    return { id: found.Id, sizeBytes: found.Size };
  },
  async removeImage(repo, id) {
    const { status, body } = await call(socketPath, "GET", `/images/${encodeURIComponent(id)}/json`);
    if (status === 404) return;
    const { RepoTags: names } = JSON.parse(expectOk(status, body)) as { RepoTags: string[] | null };
    for (const name of (names ?? []).filter((one) => one.startsWith(`${repo}:`))) {
      const removed = await call(socketPath, "DELETE", `/images/${encodeURIComponent(name)}`);
      if (removed.status !== 404) expectOk(removed.status, removed.body);
    }
  },
  async importImage(tar, { repo, tag, changes = [] }) {
    const query = new URLSearchParams({ fromSrc: "-", repo, tag });
    changes.forEach((change) => query.append("changes", change));
    const { status, body } = await call(socketPath, "POST", `/images/create?${query}`, tar);
    const lines = expectOk(status, body)
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { status?: string; error?: string });
    const failed = lines.find(({ error }) => error);
    if (failed) throw new Error(`the Docker Engine could not import ${repo}:${tag}: ${failed.error}`);
    return lines.findLast(({ status: text }) => text?.startsWith("sha256:"))?.status ?? "";
  },
});

function expectOk(status: number, body: string): string {
  if (status >= 200 && status < 300) return body;
  throw new Error(`the Docker Engine answered ${status}: ${body.slice(0, 500)}`);
}

function call(
  socketPath: string,
  method: string,
  path: string,
  body?: Readable,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = body ? { "Content-Type": "application/x-tar" } : {};
    const timeout = body ? importTimeoutMs : timeoutMs;
    const asked = request({ socketPath, method, path, headers, timeout }, (response) => {
      readText(response).then((text) => resolve({ status: response.statusCode ?? 0, body: text }), reject);
    });
    asked.on("timeout", () =>
      asked.destroy(new Error(`the Docker Engine at ${socketPath} did not answer ${method} ${path}`)),
    );
    asked.on("error", reject);
    if (!body) return void asked.end();
    body.on("error", (error) => asked.destroy(error));
    body.pipe(asked);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return text;
}
