import { request, type IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

/** The few calls of a Docker Engine's API that builds need beside BuildKit. */
export type Engine = {
  /** Undefined when the engine does not have the image. */
  image(reference: string): Promise<{ id: string; sizeBytes: number } | undefined>;
  /** The layers of an image from the base up, those that hold nothing left out; none when the engine lacks it. */
  layers(reference: string): Promise<ImageLayer[]>;
  /** Takes a name off an image, and the image away with its last one; one that is not there is no error. */
  removeName(reference: string): Promise<void>;
  /** Sends an image of the engine's store to the registry in its name; resolves to the manifest's digest there. */
  push(reference: string, options?: PushOptions): Promise<string>;
  /** Makes an image of one layer from a tar stream; resolves to its id. */
  importImage(
    tar: Readable,
    image: { repo: string; tag: string; changes?: readonly string[] },
  ): Promise<string>;
};

export type PushOptions = {
  readonly auth?: { readonly host: string; readonly username: string; readonly password: string };
  readonly signal?: AbortSignal;
};

export type ImageLayer = { readonly sizeBytes: number; readonly createdBy: string };

const timeoutMs = 30_000;
/** The engine says nothing while it unpacks, and little while it sends. */
const longTimeoutMs = 600_000;

export const dockerEngine = (socketPath: string): Engine => ({
  async image(reference) {
    const { status, body } = await call(socketPath, "GET", `/images/${encodeURIComponent(reference)}/json`);
    if (status === 404) return undefined;
    const found = JSON.parse(expectOk(status, body)) as { Id: string; Size: number };
    return { id: found.Id, sizeBytes: found.Size };
  },
  async layers(reference) {
    const path = `/images/${encodeURIComponent(reference)}/history`;
    const { status, body } = await call(socketPath, "GET", path);
    if (status === 404) return [];
    const history = JSON.parse(expectOk(status, body)) as { CreatedBy: string; Size: number }[];
    return history
      .filter(({ Size }) => Size > 0)
      .map(({ CreatedBy, Size }) => ({ sizeBytes: Size, createdBy: CreatedBy }))
      .toReversed();
  },
  async removeName(reference) {
    const { status, body } = await call(socketPath, "DELETE", `/images/${encodeURIComponent(reference)}`);
    if (status !== 404) expectOk(status, body);
  },
  async push(reference, { auth, signal } = {}) {
    const at = reference.lastIndexOf(":");
    const [name, tag] = [reference.slice(0, at), reference.slice(at + 1)];
    const signIn = auth && { serveraddress: auth.host, username: auth.username, password: auth.password };
    // The engine refuses a push without the header, even to a registry that asks for nothing.
    const header = Buffer.from(JSON.stringify(signIn ?? {})).toString("base64url");
    const { status, body } = await call(
      socketPath,
      "POST",
      `/images/${name}/push?tag=${encodeURIComponent(tag)}`,
      {
        headers: { "X-Registry-Auth": header },
        timeoutMs: longTimeoutMs,
        ...(signal && { signal }),
      },
    );
    const lines = reportsOf(expectOk(status, body));
    const failed = lines.find(({ error }) => error);
    if (failed) throw new Error(`the Docker Engine could not push ${reference}: ${failed.error}`);
    const digest = lines.findLast(({ aux }) => aux?.Digest)?.aux?.Digest;
    if (digest === undefined) throw new Error(`the Docker Engine did not say what it pushed as ${reference}`);
    return digest;
  },
  async importImage(tar, { repo, tag, changes = [] }) {
    const query = new URLSearchParams({ fromSrc: "-", repo, tag });
    changes.forEach((change) => query.append("changes", change));
    const { status, body } = await call(socketPath, "POST", `/images/create?${query}`, {
      headers: { "Content-Type": "application/x-tar" },
      timeoutMs: longTimeoutMs,
      body: tar,
    });
    const lines = reportsOf(expectOk(status, body));
    const failed = lines.find(({ error }) => error);
    if (failed) throw new Error(`the Docker Engine could not import ${repo}:${tag}: ${failed.error}`);
    return lines.findLast(({ status: text }) => text?.startsWith("sha256:"))?.status ?? "";
  },
});

function expectOk(status: number, body: string): string {
  if (status >= 200 && status < 300) return body;
  throw new Error(`the Docker Engine answered ${status}: ${body.slice(0, 500)}`);
}

type Report = { status?: string; error?: string; aux?: { Digest?: string } };

/** What long calls answer: one JSON object a line. */
const reportsOf = (body: string): Report[] =>
  body
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Report);

type Extra = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

function call(
  socketPath: string,
  method: string,
  path: string,
  { headers = {}, body, timeoutMs: timeout = timeoutMs, signal }: Extra = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, headers: { ...headers }, timeout, ...(signal && { signal }) };
    const asked = request(options, (response) => {
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
