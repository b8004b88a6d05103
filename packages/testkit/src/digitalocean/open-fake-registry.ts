import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { distributionServer, type Reply } from "./distribution-server.ts";
import { garbageCollections } from "./garbage-collections.ts";
import { openApi, type MatchedRequest } from "./open-api.ts";
import { storedImages } from "./stored-images.ts";

export type Trouble = { readonly status: number; readonly headers?: Record<string, string> } | "hang up";
export type FakeDigitalOceanRegistry = AsyncDisposable & {
  readonly apiUrl: string;
  /** Where images are pushed and pulled, instead of registry.digitalocean.com. */
  readonly registryUrl: string;
  readonly name: string;
  readonly token: string;
  /** What was asked, as `GET /v2/…`. */
  readonly asked: string[];
  /** The next calls of the API meet these, one each. */
  trouble(...next: Trouble[]): void;
  pass(ms: number): void;
  /** As if every credential to write had expired, and what was pushed with it had ended. */
  endWrites(): void;
};

const file = new URL("registry.openapi.json", import.meta.url);
const host = "registry.digitalocean.com";
const ids: Record<number, string> = { 401: "unauthorized", 404: "not_found", 412: "precondition_failed" };

/** DigitalOcean's registry API and a registry behind it, in memory. Disposal rejects if anything undescribed was asked. */
export async function openFakeDigitalOceanRegistry(): Promise<FakeDigitalOceanRegistry> {
  const [name, token, judge] = ["starform", `dop_v1_${"f".repeat(64)}`, openApi(file)];
  let shiftMs = 0;
  const now = () => new Date(Date.now() + shiftMs);
  const images = storedImages(now);
  const garbage = garbageCollections(images, name, now);
  const distribution = distributionServer(images);
  const credentials = new Map<string, { isWriting: boolean; endsMs: number }>();
  const [asked, refused, troubles]: [string[], string[], Trouble[]] = [[], [], []];
  let remaining = 5_000;

  const operations: Record<string, (call: MatchedRequest) => [number, unknown]> = {
    registries_get: () => [200, { registry: { name, region: "nyc3", created_at: now().toISOString() } }],
    registries_get_dockerCredentials: ({ query }) => {
      const password = `dop_v1_${randomUUID().replaceAll("-", "")}`;
      const seconds = Number(query["expiry_seconds"] ?? 0);
      credentials.set(password, {
        isWriting: query["read_write"] === "true",
        endsMs: seconds === 0 ? Infinity : now().getTime() + seconds * 1_000,
      });
      const auth = Buffer.from(`${password}:${password}`).toString("base64");
      return [200, { auths: { [host]: { auth } } }];
    },
    registries_list_repositoriesV2: ({ query }) => {
      const all = images.names().map((one) => ({
        registry_name: name,
        name: one,
        tag_count: images.repository(one).tags.size,
        manifest_count: images.repository(one).manifests.size,
      }));
      return [200, paged("repositories", all, query)];
    },
    registries_list_repositoryManifests: ({ params, query }) => {
      const repository = params["repository_name"]!;
      const all = [...images.repository(repository).manifests].map(([digest, manifest]) => ({
        registry_name: name,
        repository,
        digest,
        compressed_size_bytes: images.sizeOf(repository, manifest),
        updated_at: manifest.updatedAt.toISOString(),
        tags: images.tagsOf(repository, digest),
      }));
      return images.names().includes(repository) ? [200, paged("manifests", all, query)] : missing;
    },
    registries_delete_repositoryManifest: ({ params }) =>
      images.remove(params["repository_name"]!, params["manifest_digest"]!) ? [204, undefined] : missing,
    registries_run_garbageCollection: () => {
      const started = garbage.start();
      return started ? [201, { garbage_collection: started }] : problem(412, "a collection is active");
    },
    registries_get_garbageCollection: () => {
      const active = garbage.active();
      return active ? [200, { garbage_collection: active }] : missing;
    },
    registries_list_garbageCollections: () => [200, { garbage_collections: garbage.past() }],
  };

  const api = (request: IncomingMessage, url: URL, body: string): Reply => {
    asked.push(`${request.method} ${url.pathname}`);
    const matched = judge.match(request.method ?? "", url, body);
    if ("refused" in matched) {
      refused.push(matched.refused);
      return json(400, { id: "bad_request", message: matched.refused });
    }
    const mayCall = request.headers.authorization === `Bearer ${token}`;
    const isOurs = matched.params["registry_name"] === name;
    const [status, answer] = !mayCall
      ? problem(401, "Unable to authenticate you")
      : isOurs
        ? operations[matched.operation]!(matched)
        : missing;
    judge.holdAnswer(matched.operation, status, answer);
    return json(status, answer, limits(--remaining));
  };

  const data = (request: IncomingMessage, url: URL, body: Buffer): Reply => {
    const [, basic = ""] = /^Basic (\S+)$/.exec(request.headers.authorization ?? "") ?? [];
    const known = credentials.get(Buffer.from(basic, "base64").toString().split(":")[1] ?? "");
    const method = request.method ?? "";
    const isWrite = !["GET", "HEAD"].includes(method);
    if (!known || known.endsMs <= now().getTime() || (isWrite && !known.isWriting))
      return { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } };
    if (isWrite && garbage.isActive()) return { status: 405, body: '{"errors":[{"code":"UNSUPPORTED"}]}' };
    if (isWrite) garbage.noteWrite();
    return distribution({ method, url, body, contentType: request.headers["content-type"] ?? "" });
  };

  const apiServer = await listen(async (request, response, body) => {
    const next = troubles.shift();
    if (next === "hang up") return void request.socket.destroy();
    const url = new URL(request.url ?? "", "http://api");
    if (next) asked.push(`${request.method} ${url.pathname}`);
    const busy = () => json(next!.status, { id: "too_many_requests", message: "later" }, next!.headers);
    send(response, request, next ? busy() : api(request, url, body.toString()));
  });
  const dataServer = await listen(async (request, response, body) =>
    send(response, request, data(request, new URL(request.url ?? "", "http://registry"), body)),
  );
  return {
    apiUrl: apiServer.url,
    registryUrl: dataServer.url,
    name,
    token,
    asked,
    trouble: (...next) => void troubles.push(...next),
    pass: (ms) => void (shiftMs += ms),
    endWrites: () => garbage.endWrites(),
    async [Symbol.asyncDispose]() {
      await Promise.all([apiServer.close(), dataServer.close()]);
      if (refused.length > 0)
        throw new Error(`DigitalOcean was asked what its API does not have: ${refused.join("; ")}`);
    },
  };
}

const problem = (status: number, message: string): [number, unknown] => [
  status,
  { id: ids[status] ?? "error", message },
];
const missing = problem(404, "The resource you requested could not be found.");

const limits = (remaining: number): Record<string, string> => ({
  "ratelimit-limit": "5000",
  "ratelimit-remaining": String(remaining),
  "ratelimit-reset": String(Math.floor(Date.now() / 1_000) + 3_600),
});

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  ...(body === undefined ? {} : { body: JSON.stringify(body) }),
});

function paged(key: string, all: readonly unknown[], query: Readonly<Record<string, string>>) {
  const [page, size] = [Number(query["page"] ?? 1), Number(query["per_page"] ?? 20)];
  const isLast = page * size >= all.length;
  return {
    [key]: all.slice((page - 1) * size, page * size),
    links: isLast ? {} : { pages: { next: `https://api.digitalocean.com/v2/next?page=${page + 1}` } },
    meta: { total: all.length },
  };
}

type Handle = (request: IncomingMessage, response: ServerResponse, body: Buffer) => Promise<void>;
async function listen(handle: Handle): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      handle(request, response, Buffer.concat(chunks)).catch((error: Error) =>
        response.writeHead(500, { "content-type": "text/plain" }).end(error.stack),
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const send = (response: ServerResponse, request: IncomingMessage, { status, headers, body }: Reply): void => {
  response.writeHead(status, { "content-length": Buffer.byteLength(body ?? ""), ...headers });
  response.end(request.method === "HEAD" ? undefined : body);
};
