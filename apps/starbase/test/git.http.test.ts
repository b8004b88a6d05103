import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Fault } from "@starform/std/fault";
import { until } from "@starform/std/retry";
import Fastify from "fastify";
import { describe, expect, test } from "vitest";
import { gitHttpBackend } from "../src/adapters/sources/git-http-backend.ts";
import { folderSourceStore } from "../src/adapters/sources/source-store.ts";
import type { FollowEnd, PushOutcome, PushUpdate } from "../src/core/builds/git-remote.ts";
import { reconcileHeads } from "../src/core/builds/reconcile-heads.ts";
import { gitRoutes, type GitRoutesDeps } from "../src/http/git.ts";
import { aRepository } from "./git-http.ts";
import { memoryHeadLedger } from "./memory-head-ledger.ts";

const serviceId = randomUUID();
type Access = { readonly serviceId: string };

/** A Git server whose service "web" of "shop" takes the token "good"; main deploys, other branches do not. */
async function aServer(changed: Partial<GitRoutesDeps<Access>> = {}) {
  const dir = await mkdtemp(path.join(tmpdir(), "git-server-"));
  let nowMs = 1_000_000;
  const ledger = memoryHeadLedger(() => nowMs);
  const repositories = folderSourceStore({
    gitDir: path.join(dir, "git"),
    sourcesDir: path.join(dir, "sources"),
    isFileAllowed: true,
  });
  const pushed: PushUpdate[] = [];
  const said: string[] = [];
  const push = async (_access: unknown, update: PushUpdate): Promise<PushOutcome[]> => {
    pushed.push(update);
    if (update.ref !== "refs/heads/main")
      return [
        { kind: "nothing", message: `${update.commit.ref} deploys nowhere: main deploys to production` },
      ];
    return [
      { kind: "deploying", deploymentId: randomUUID(), environment: "production", number: pushed.length },
    ];
  };
  const app = Fastify();
  gitRoutes<Access>(app, {
    async authorize(authorization, project, service) {
      const password = Buffer.from(authorization?.replace(/^Basic /, "") ?? "", "base64")
        .toString()
        .split(":")[1];
      if (password !== "good")
        throw new Fault(
          "unauthenticated",
          "that token is not valid: make a new one with `starform tokens create`",
        );
      if (project !== "shop" || service !== "web")
        throw new Fault("not_found", `there is no service ${service} in a project ${project} of yours`);
      return { serviceId };
    },
    backend: gitHttpBackend({
      hooksDir: path.join(dir, "git", "hooks"),
      repositories,
      log: (text) => said.push(text),
    }),
    commitOf: repositories.commitOf,
    whileAllowed: (caller, work) => work(caller.signal),
    ledger,
    push,
    async follow(_id, onLine) {
      onLine("install: added 70 packages");
      return { status: "deployed", url: "http://web-shop.localhost:4402", reason: null };
    },
    ...changed,
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  return {
    repositories,
    pushed,
    said,
    urlFor: (token = "good", name = "shop/web") => `http://any:${token}@127.0.0.1:${port}/git/${name}.git`,
    /** What the Worker does at its start, a while later. */
    reconcile: () => {
      nowMs += 120_000;
      return reconcileHeads({ repositories, ledger, push, log: () => undefined, graceMs: 0 });
    },
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections();
      await app.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

describe("the Git remote", () => {
  test("takes a push, streams its deployment to the pusher, and prints the address at the end", async () => {
    await using server = await aServer();
    await using repository = await aRepository({
      "index.js": randomBytes(3_000_000).toString("base64"),
      "ünïcode.txt": "1",
    });
    const { code, text } = await repository.git("push", server.urlFor(), "main");
    expect(code).toBe(0);
    expect(text).toMatch(
      /remote: deploying #1 to production[\s\S]*remote: install: added 70 packages[\s\S]*remote: deployed: http:\/\/web-shop\.localhost:4402/,
    );
    expect(server.pushed).toEqual([
      {
        ref: "refs/heads/main",
        oldSha: "0".repeat(40),
        newSha: repository.first,
        commit: { sha: repository.first, ref: "main", message: "first", author: "Ada <ada@example.com>" },
      },
    ]);
    const dir = await mkdtemp(path.join(tmpdir(), "checked-out-"));
    await server.repositories.checkOut(
      serviceId,
      { kind: "commit", sha: repository.first },
      dir,
      new AbortController().signal,
    );
    expect(
      (await repository.git("diff", "--no-index", "--stat", path.join(dir, "index.js"), "index.js")).code,
    ).toBe(0);
    await rm(dir, { recursive: true });
  });

  test("gives the code back to whoever may read it", async () => {
    await using server = await aServer();
    await using repository = await aRepository();
    await repository.git("push", server.urlFor(), "main");
    await repository.git("clone", "--quiet", server.urlFor(), "copy");
    expect((await repository.git("-C", "copy", "rev-parse", "HEAD")).text.trim()).toBe(repository.first);
  });

  test("takes tags, deleted branches, forced pushes and branches that deploy nowhere, and says what becomes of each", async () => {
    await using server = await aServer();
    await using repository = await aRepository();
    const push = async (...args: string[]) => (await repository.git("push", server.urlFor(), ...args)).text;
    await push("main");
    expect(await push("main:feature")).toContain(
      "remote: feature deploys nowhere: main deploys to production",
    );
    expect(await push(":feature")).toContain(
      "branch feature deleted: nothing to deploy, what runs keeps running",
    );
    await repository.git("tag", "v1");
    expect(await push("v1")).toContain("tag v1: kept, but tags do not deploy");
    await repository.git("commit", "--quiet", "--amend", "--message", "rewritten");
    expect(await push("--force", "main")).toContain("deploying #3 to production");
    expect(await push("main")).toContain("Everything up-to-date");
    expect(await push(":main")).toContain("nothing to deploy");
    expect(await push("main")).toContain("deploying #4 to production");
  });

  test("asks for a token, and tells a wrong one and an unknown service apart", async () => {
    await using server = await aServer();
    await using repository = await aRepository();
    expect((await repository.git("push", server.urlFor("bad"), "main")).text).toContain(
      "remote: that token is not valid: make a new one with `starform tokens create`",
    );
    expect((await repository.git("push", server.urlFor("good", "shop/nothing"), "main")).text).toContain(
      "there is no service nothing in a project shop of yours",
    );
    const plain = await fetch(
      `${new URL(server.urlFor()).origin}/git/shop/web.git/info/refs?service=git-receive-pack`,
    );
    expect(plain.status).toBe(401);
    expect(plain.headers.get("www-authenticate")).toMatch(/^Basic realm=/);
    expect(server.pushed).toEqual([]);
  });

  test("keeps the code of a push that may not deploy, and says why it did not", async () => {
    await using server = await aServer({
      push: () =>
        Promise.reject(new Fault("forbidden", "production is protected: ask a project admin to deploy")),
    });
    await using repository = await aRepository();
    const { code, text } = await repository.git("push", server.urlFor(), "main");
    expect(code).toBe(0);
    expect(text).toContain(
      "remote: main: not deployed: production is protected: ask a project admin to deploy",
    );
    expect(await server.reconcile()).toBe(0);
  });

  test("goes on with a deployment when the pusher leaves", async () => {
    const follows: AbortSignal[] = [];
    const begun = Promise.withResolvers<void>();
    await using server = await aServer({
      follow: (_id, onLine, signal) =>
        new Promise<FollowEnd>((_resolve, reject) => {
          follows.push(signal);
          onLine("building");
          signal.addEventListener("abort", () => reject(signal.reason as Error));
          begun.resolve();
        }),
    });
    await using repository = await aRepository();
    const leave = new AbortController();
    const pushing = repository.gitUntil(leave.signal, "push", server.urlFor(), "main");
    await begun.promise;
    leave.abort();
    await pushing;
    await until("nobody is told any more", () => follows[0]!.aborted);
    expect(server.pushed).toHaveLength(1);
    expect([...(await server.repositories.heads(serviceId)).values()]).toEqual([repository.first]);
    expect(await server.reconcile()).toBe(0);
  });

  test("deploys each of two pushes in a second, in order", async () => {
    await using server = await aServer();
    await using repository = await aRepository();
    await repository.git("push", server.urlFor(), "main");
    const second = await repository.commit({ "index.js": "2\n" });
    await repository.git("push", server.urlFor(), "main");
    expect(server.pushed.map(({ newSha }) => newSha)).toEqual([repository.first, second]);
  });

  test("loses no push whose deployment never began, and deploys it once", async () => {
    let isBroken = true;
    await using server = await aServer({
      push: () => (isBroken ? Promise.reject(new Error("the database is away")) : Promise.resolve([])),
    });
    await using repository = await aRepository();
    const { code, text } = await repository.git("push", server.urlFor(), "main");
    expect(code).toBe(0);
    expect(text).toContain("it is tried again within minutes");
    isBroken = false;
    expect(await server.reconcile()).toBe(1);
    expect(await server.reconcile()).toBe(0);
    expect(server.pushed.map(({ newSha }) => newSha)).toEqual([repository.first]);
  });

  test("refuses what is no request of Git's", async () => {
    await using server = await aServer();
    const { origin } = new URL(server.urlFor());
    const ask = (file: string) =>
      fetch(`${origin}/git/shop/web.git/${file}`, { headers: { authorization: `Basic ${btoa("x:good")}` } });
    expect((await ask("info/refs")).status).toBe(403);
    expect((await ask("config")).status).toBe(404);
    expect((await ask("../../settings/gitconfig")).status).toBe(404);
  });
});
