import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { folderSourceStore } from "../src/adapters/sources/source-store.ts";
import { aRepository } from "./git-http.ts";

const [username, password] = ["ada", "a-secret-token"];
const basic = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

/** A Git host that serves one repository to who signs in, with git's own http-backend. */
async function aGitHost() {
  const repository = await aRepository({ "index.js": "private\n" });
  const refused: (string | undefined)[] = [];
  let redirectTo: string | undefined;
  const server = createServer((request, response) => {
    if (redirectTo) return void response.writeHead(301, { location: `${redirectTo}${request.url}` }).end();
    if (request.headers.authorization !== basic) {
      refused.push(request.headers.authorization);
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    }
    const backend = spawn("git", ["http-backend"], { env: { ...process.env, ...variables(request) } });
    request.pipe(backend.stdin);
    let head = Buffer.alloc(0);
    backend.stdout.on("data", (chunk: Buffer) => (head = Buffer.concat([head, chunk])));
    backend.on("close", () => {
      const at = head.indexOf("\r\n\r\n");
      const headers = head
        .subarray(0, at)
        .toString()
        .split("\r\n")
        .map((line) => line.split(": "));
      const status = headers.find(([name]) => name === "Status")?.[1] ?? "200";
      response.writeHead(
        Number.parseInt(status, 10),
        Object.fromEntries(headers.filter(([name]) => name !== "Status")),
      );
      response.end(head.subarray(at + 4));
    });
    return undefined;
  });
  const variables = (request: IncomingMessage) => {
    const url = new URL(request.url ?? "", "http://git");
    return {
      GIT_PROJECT_ROOT: repository.dir,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      PATH_INFO: url.pathname.replace("/app.git", "/.git"),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
    };
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused,
    redirect: (to: string) => void (redirectTo = to),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await repository[Symbol.asyncDispose]();
    },
  };
}

async function fetchFrom(host: string, signIns: Record<string, string>) {
  const dir = await mkdtemp(path.join(tmpdir(), "private-git-"));
  const store = folderSourceStore({
    gitDir: path.join(dir, "git"),
    sourcesDir: path.join(dir, "sources"),
    isFileAllowed: false,
    signInTo: async (_owner, at) => {
      const known = signIns[at];
      return known === undefined ? undefined : { username, password: known };
    },
  });
  const into = path.join(dir, "out");
  await mkdir(into);
  const source = { kind: "git", url: `http://${host}/app.git`, ref: "main" } as const;
  try {
    await store.checkOut("a-service", source, into, new AbortController().signal);
    return await readFile(path.join(into, "index.js"), "utf8");
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test("code of a private repository is fetched with the project's sign-in to its host", async () => {
  await using git = await aGitHost();
  expect(await fetchFrom(git.host, { [git.host]: password })).toBe("private\n");
});

test("so it is for a project that has no service of it yet", async () => {
  await using git = await aGitHost();
  const dir = await mkdtemp(path.join(tmpdir(), "private-git-"));
  const asked: unknown[] = [];
  const store = folderSourceStore({
    gitDir: path.join(dir, "git"),
    sourcesDir: path.join(dir, "sources"),
    isFileAllowed: false,
    signInTo: async (owner, host) => {
      asked.push({ owner, host });
      return { username, password };
    },
  });
  const into = path.join(dir, "out");
  await mkdir(into);
  const which = { id: "a-proposal", projectId: "a-project" };
  const source = { url: `http://${git.host}/app.git`, ref: null };
  const { branch } = await store.fetchOnce(which, source, into, new AbortController().signal);
  expect({ branch, text: await readFile(path.join(into, "index.js"), "utf8") }).toEqual({
    branch: "main",
    text: "private\n",
  });
  expect(asked).toEqual([{ owner: { projectId: "a-project" }, host: git.host }]);
  await rm(dir, { recursive: true, force: true });
});

test("without a sign-in, or with a wrong one, it is told how to sign in, and the password is not", async () => {
  await using git = await aGitHost();
  for (const signIns of [{}, { [git.host]: "wrong-secret" }, { "github.com": password }]) {
    const error = (await fetchFrom(git.host, signIns).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: "invalid" });
    expect(error.message).toContain(`starform git login ${git.host}`);
    expect(error.stack).not.toMatch(/wrong-secret|a-secret-token/);
  }
});

test("a host that redirects elsewhere is not followed, with a sign-in or without, and it is told what to use instead", async () => {
  await using git = await aGitHost();
  await using other = await aGitHost();
  git.redirect(`http://${other.host}`);
  for (const signIns of [{ [git.host]: password }, {}])
    await expect(fetchFrom(git.host, signIns)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/redirects to another address.*: use the address it leads to/) as string,
    });
  expect(other.refused).toEqual([]);
});
