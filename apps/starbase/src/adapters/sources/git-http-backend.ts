import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import type { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "@starform/std/fault";
import type { GitBackend, GitRequest, GitResponse, RefMove } from "../../core/builds/git-remote.ts";
import { boundedGit } from "./bounded-git.ts";
import { writeInPlace } from "./git-program.ts";
import type { Repositories } from "./source-store.ts";
import { tellFullDisk } from "./tell-full-disk.ts";

export type GitBackendOptions = {
  /** For the hook; `<gitDir>/hooks` does. */
  readonly hooksDir: string;
  readonly repositories: Pick<Repositories, "repositoryDir" | "git">;
  /** For the operator. */
  readonly log: (text: string) => void;
  /** Requests that pack or unpack at the same time; a push that only waits for its deployment is none. */
  readonly atOnceMax?: number;
  readonly waitingMax?: number;
};

const pushBytesMax = 2 * 2 ** 30;

/**
 * Tells what moved on descriptor 3, which it inherits from us through git, and prints what comes back: no address, no
 * secret, and nobody else can speak there. It ends when we close it, be it by dying.
 */
const hook = `#!/bin/sh
while read -r old new ref; do printf '%s %s %s\\n' "$old" "$new" "$ref" >&3; done
printf '\\n' >&3
exec cat <&3
`;

/** The real \`git http-backend\`, one process a request. */
export function gitHttpBackend(options: GitBackendOptions): GitBackend {
  const { hooksDir, repositories, log } = options;
  writeInPlace(path.join(hooksDir, "post-receive"), hook, 0o755);
  const slots = openSlots(options.atOnceMax ?? 8, options.waitingMax ?? 64);
  const settings = {
    "core.hooksPath": hooksDir,
    "http.receivepack": "true",
    "receive.maxInputSize": String(pushBytesMax),
    "receive.denyDeleteCurrent": "ignore",
    "receive.denyNonFastForwards": "false",
    "receive.autogc": "false",
  };
  const configured = Object.entries(settings).flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${i}`, key],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ]);

  return {
    async serve(request, onReceived) {
      const dir = await repositories.repositoryDir(request.serviceId);
      const release = await slots.take();
      const child = spawn(...boundedGit(["http-backend"]), {
        cwd: dir,
        env: {
          ...repositories.git.env,
          ...Object.fromEntries(configured),
          GIT_CONFIG_COUNT: String(configured.length / 2),
          GIT_HTTP_EXPORT_ALL: "1",
          PATH_TRANSLATED: path.join(dir, request.path),
          REMOTE_USER: "pusher",
          REMOTE_ADDR: "127.0.0.1",
          REQUEST_METHOD: request.method,
          QUERY_STRING: request.query,
          ...(request.contentType ? { CONTENT_TYPE: request.contentType } : {}),
          ...(request.contentEncoding ? { HTTP_CONTENT_ENCODING: request.contentEncoding } : {}),
          ...(request.contentLength ? { CONTENT_LENGTH: request.contentLength } : {}),
          ...(request.protocol ? { GIT_PROTOCOL: request.protocol } : {}),
        },
        stdio: ["pipe", "pipe", "pipe", "pipe"],
      });
      child.on("close", release);
      child.on("error", (error) => {
        release();
        log(`git cannot be run: ${error.message}`);
      });
      child.stderr!.on("data", (chunk: Buffer) => log(`git http-backend: ${chunk.toString().trim()}`));
      void feed(child, request, log);
      listen(
        child.stdio[3] as Duplex,
        async (moves, say) => {
          release();
          await onReceived?.(moves, say);
        },
        log,
      );
      const response = await readResponse(child.stdout!);
      return request.path === "git-receive-pack"
        ? { ...response, body: tellFullDisk(response.body) }
        : response;
    },
  };
}

/** A body that breaks off ends git's input in the middle, and git then changes nothing. */
async function feed(child: ChildProcess, { body }: GitRequest, log: (text: string) => void): Promise<void> {
  child.stdin!.on("error", () => undefined);
  if (!body) return void child.stdin!.end();
  let bytes = 0;
  const bounded = async function* () {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > pushBytesMax) throw new Fault("too_large", "a push may have 2 GiB at most");
      yield chunk;
    }
  };
  await pipeline(bounded, child.stdin!).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return;
    log(`a push broke off: ${error instanceof Error ? error.message : String(error)}`);
    child.kill("SIGTERM");
  });
}

/** Speaks with the hook: lines `old new ref`, an empty line, then what we say until we close. */
function listen(
  talk: Duplex,
  onReceived: (moves: readonly RefMove[], say: (line: string) => void) => Promise<void>,
  log: (text: string) => void,
): void {
  let text = "";
  let isTold = false;
  talk.on("error", () => undefined);
  talk.on("data", (chunk: Buffer) => {
    if (isTold) return;
    text += chunk.toString();
    if (!text.endsWith("\n\n")) return;
    isTold = true;
    const moves = text
      .split("\n")
      .filter(Boolean)
      .map((line): RefMove => {
        const [oldSha = "", newSha = "", ...ref] = line.split(" ");
        return { oldSha, newSha, ref: ref.join(" ") };
      });
    const say = (line: string) => void (talk.writable && talk.write(`${line}\n`));
    onReceived(moves, say)
      .catch((error: unknown) => {
        log(
          `a push was taken in, and handing it on failed: ${error instanceof Error ? error.stack : String(error)}`,
        );
        say(
          "your code is here, but deploying it failed inside the platform: it is tried again within minutes",
        );
      })
      .finally(() => talk.end());
  });
}

/** CGI: headers, an empty line, the body. */
async function readResponse(out: Readable): Promise<GitResponse> {
  let head = Buffer.alloc(0);
  const reader = out[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const end = head.indexOf("\r\n\r\n");
    if (end >= 0) {
      const headers = new Map(
        head
          .subarray(0, end)
          .toString("latin1")
          .split("\r\n")
          .map((line) => {
            const colon = line.indexOf(":");
            return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
          }),
      );
      const status = Number.parseInt(headers.get("status") ?? "200", 10);
      headers.delete("status");
      const first = head.subarray(end + 4);
      return { status, headers: Object.fromEntries(headers), body: bodyOf(first, reader) };
    }
    const next = await reader.next();
    if (next.done) throw new Fault("unavailable", "the Git service ended without an answer: try again");
    head = Buffer.concat([head, next.value]);
    if (head.length > 64 * 1_024) throw new Error("git http-backend answered no header");
  }
}

async function* bodyOf(first: Buffer, reader: AsyncIterator<Buffer>): AsyncIterable<Uint8Array> {
  if (first.length > 0) yield first;
  for (;;) {
    const next = await reader.next();
    if (next.done) return;
    yield next.value;
  }
}

/** A number of places, and a line before them that is not endless. */
function openSlots(count: number, waitingMax: number): { take(): Promise<() => void> } {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    async take() {
      if (free > 0) free--;
      else if (waiting.length >= waitingMax)
        throw new Fault("unavailable", "too many pushes and clones at once: try again in a minute");
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        const next = waiting.shift();
        if (next) next();
        else free++;
      };
    },
  };
}
