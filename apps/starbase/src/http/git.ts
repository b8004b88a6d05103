import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { WhileAllowed } from "../core/identity/while-allowed.ts";
import { faultCodes, isFault, wordsOf } from "@starform/std/fault";
import { isFullDisk } from "@starform/std/full-disk";
import {
  tellPush,
  type GitAccess,
  type GitBackend,
  type GitRequest,
  type TellPushDeps,
} from "../core/builds/git-remote.ts";
import { platformDiskIsFull } from "../core/full-disk.ts";

export type GitRoutesDeps<A extends GitAccess> = TellPushDeps<A> & {
  /**
   * Who may do what, by the Authorization header. Faults: `unauthenticated` asks for a password, which is a token;
   * anything else is told as it is.
   */
  readonly authorize: (
    authorization: string | undefined,
    project: string,
    service: string,
    action: "read" | "push",
  ) => Promise<A>;
  readonly backend: GitBackend;
  readonly whileAllowed: WhileAllowed;
};

type Params = { project: string; repository: string };

/** Git over smart HTTP at `/git/<project>/<service>.git`. The user name is ignored, the password is a token. */
export function gitRoutes<A extends GitAccess>(app: FastifyInstance, deps: GitRoutesDeps<A>): void {
  void app.register(async (git) => {
    // Packs are streams of any size and go to git as they come.
    git.removeAllContentTypeParsers();
    git.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    const at = "/git/:project/:repository";
    const options = { bodyLimit: 4 * 2 ** 30, schema: { hide: true } };
    git.get<{ Params: Params }>(`${at}/info/refs`, options, (request, reply) => {
      const service = (request.query as { service?: string }).service;
      if (service !== "git-upload-pack" && service !== "git-receive-pack")
        return refuse(reply, 403, "this Git is too old: version 1.6.6 or later speaks to Starform");
      return serve(deps, request, reply, "info/refs", service === "git-receive-pack" ? "push" : "read");
    });
    git.post<{ Params: Params }>(`${at}/git-upload-pack`, options, (request, reply) =>
      serve(deps, request, reply, "git-upload-pack", "read"),
    );
    git.post<{ Params: Params }>(`${at}/git-receive-pack`, options, (request, reply) =>
      serve(deps, request, reply, "git-receive-pack", "push"),
    );
  });
}

async function serve<A extends GitAccess>(
  deps: GitRoutesDeps<A>,
  request: FastifyRequest<{ Params: Params }>,
  reply: FastifyReply,
  path: GitRequest["path"],
  action: "read" | "push",
): Promise<unknown> {
  const { project, repository } = request.params;
  const service = repository.replace(/\.git$/, "");
  const left = new AbortController();
  reply.raw.on("close", () => left.abort());
  const { authorization } = request.headers;
  const authorize = () => deps.authorize(authorization, project, service, action);
  try {
    const access = await authorize();
    const caller = { authorization, signal: left.signal, check: authorize };
    const response = await deps.backend.serve(requestOf(request, access.serviceId, path), (moves, say) =>
      deps
        .whileAllowed(caller, (signal) => tellPush(deps, access, moves, { say, signal }))
        .catch((error: unknown) => {
          if (!isFault(error)) throw error;
          say(`${wordsOf(error)}; what was pushed stays, and is deployed`);
        }),
    );
    reply.hijack();
    reply.raw.writeHead(response.status, { ...response.headers });
    await send(response.body, reply, left.signal);
    return reply;
  } catch (error) {
    if (reply.sent) {
      reply.raw.destroy();
      return reply;
    }
    if (isFullDisk(error)) return refuse(reply, faultCodes.disk_full, platformDiskIsFull);
    if (!isFault(error)) throw error;
    if (error.code === "unauthenticated")
      void reply.header("www-authenticate", 'Basic realm="Starform: any user name, a token as the password"');
    return refuse(reply, faultCodes[error.code], wordsOf(error));
  }
}

function requestOf(request: FastifyRequest, serviceId: string, path: GitRequest["path"]): GitRequest {
  const header = (name: string) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    serviceId,
    path,
    method: request.method === "POST" ? "POST" : "GET",
    query: request.raw.url?.split("?")[1] ?? "",
    contentType: header("content-type"),
    contentEncoding: header("content-encoding"),
    contentLength: header("content-length"),
    protocol: header("git-protocol"),
    body: request.method === "POST" ? (request.body as AsyncIterable<Uint8Array>) : undefined,
  };
}

/** After the client has left the rest is read and dropped: git must come to its end, or the push would be half done. */
async function send(body: AsyncIterable<Uint8Array>, reply: FastifyReply, left: AbortSignal): Promise<void> {
  const { raw } = reply;
  for await (const chunk of body) {
    if (left.aborted || raw.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      raw.once("drain", resolve);
      left.addEventListener("abort", () => resolve(), { once: true });
    });
  }
  raw.end();
}

/** Git shows plain text to the person at the keyboard. */
const refuse = (reply: FastifyReply, status: number, message: string) =>
  reply.code(status).type("text/plain; charset=utf-8").send(`${message}\n`);
