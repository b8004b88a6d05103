import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlink, utimes } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { sourceOf } from "./source-of.ts";

const program = path.resolve(import.meta.dirname, "../src/static-server/serve.mjs");

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** The server over the files of a folder; `get` sends paths as they are, with nothing tidied on the way. */
async function served(files: Record<string, unknown>, ...flags: string[]) {
  const source = await sourceOf(files);
  const child = spawn(process.execPath, [program, ".", ...flags], {
    cwd: source.dir,
    env: { PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const port = Number(/port (\d+)/.exec(line)?.[1]);
  const get = (url: string, headers: http.OutgoingHttpHeaders = {}, method = "GET") =>
    new Promise<Answer>((resolve, reject) => {
      const request = http.request(
        { host: "127.0.0.1", port, path: url, headers, method, agent: false },
        async (response) => {
          const chunks = await response.toArray();
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(chunks as Buffer[]).toString("latin1"),
          });
        },
      );
      request.on("error", reject).end();
    });
  const stop = async () => {
    if (child.exitCode !== null) return child.exitCode;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    return ((await exited) as [number | null])[0];
  };
  return {
    dir: source.dir,
    get,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop(), await source[Symbol.asyncDispose]()),
  };
}

test("serves files with their types, folders by their index, pages without their ending", async () => {
  await using site = await served({
    "index.html": "home",
    "about.html": "about",
    "docs/index.html": "docs",
    "a b.css": "css",
    "data.json": "{}",
  });
  expect(await site.get("/")).toMatchObject({
    status: 200,
    body: "home",
    headers: { "content-type": "text/html; charset=utf-8" },
  });
  expect(await site.get("/about")).toMatchObject({ status: 200, body: "about" });
  expect(await site.get("/docs/")).toMatchObject({ status: 200, body: "docs" });
  expect(await site.get("/docs?a=1")).toMatchObject({ status: 308, headers: { location: "/docs/?a=1" } });
  expect(await site.get("/a%20b.css?v=1")).toMatchObject({
    status: 200,
    headers: { "content-type": "text/css; charset=utf-8" },
  });
  expect(await site.get("/data.json", {}, "HEAD")).toMatchObject({
    status: 200,
    body: "",
    headers: { "content-length": "2" },
  });
  expect(await site.get("/", {}, "POST")).toMatchObject({ status: 405 });
});

test("answers 404.html for what is missing, and index.html for an app's routes when asked to", async () => {
  await using plain = await served({ "index.html": "home", "404.html": "lost" });
  expect(await plain.get("/nowhere")).toMatchObject({ status: 404, body: "lost" });
  await using app = await served({ "index.html": "app" }, "--spa");
  expect(await app.get("/any/route")).toMatchObject({ status: 200, body: "app" });
  expect(await app.get("/missing.js")).toMatchObject({ status: 404 });
});

test("never leaves its folder and never shows hidden files", async () => {
  await using site = await served({
    "index.html": "home",
    ".env": "SECRET=1",
    ".git/config": "",
    ".well-known/a": "ok",
    "starform.json": "{}",
  });
  await symlink("/etc", path.join(site.dir, "out"));
  for (const url of [
    "/../etc/passwd",
    "/%2e%2e/etc/passwd",
    "/..%2fetc/passwd",
    "/a/..%5c..%5cetc",
    "/out/passwd",
    "/%00",
    "/.env",
    "/.git/config",
    "/starform.json",
    "/%zz",
  ]) {
    const { status, body } = await site.get(url);
    expect({ url, isRefused: status === 400 || status === 404 }).toEqual({ url, isRefused: true });
    expect(body).not.toMatch(/root:|SECRET/);
  }
  expect(await site.get("/.well-known/a")).toMatchObject({ status: 200, body: "ok" });
  expect((await site.get("//evil.example/..")).status).toBe(400);
});

test("a redirect to a folder stays on this host", async () => {
  await using site = await served({ "evil.example/index.html": "" });
  expect((await site.get("//evil.example")).headers.location).toBe("/evil.example/");
});

test("answers byte ranges and revalidation", async () => {
  await using site = await served({ "a.txt": "0123456789", "empty.txt": "" });
  const whole = await site.get("/a.txt");
  expect(await site.get("/a.txt", { range: "bytes=2-4" })).toMatchObject({
    status: 206,
    body: "234",
    headers: { "content-range": "bytes 2-4/10" },
  });
  expect(await site.get("/a.txt", { range: "bytes=-3" })).toMatchObject({ status: 206, body: "789" });
  expect(await site.get("/a.txt", { range: "bytes=8-99" })).toMatchObject({ status: 206, body: "89" });
  expect(await site.get("/a.txt", { range: "bytes=10-" })).toMatchObject({
    status: 416,
    headers: { "content-range": "bytes */10" },
  });
  expect(await site.get("/a.txt", { "if-none-match": whole.headers.etag })).toMatchObject({
    status: 304,
    body: "",
  });
  expect(await site.get("/a.txt", { "if-modified-since": whole.headers["last-modified"] })).toMatchObject({
    status: 304,
  });
  expect(await site.get("/a.txt", { range: "bytes=0-1", "if-range": '"other"' })).toMatchObject({
    status: 200,
    body: "0123456789",
  });
  expect(await site.get("/empty.txt")).toMatchObject({ status: 200, body: "" });
});

test("sends what a build compressed beforehand to those who take it", async () => {
  await using site = await served({
    "app.js": "let a",
    "app.js.gz": gzipSync("let a"),
    "old.js": "new",
    "old.js.gz": gzipSync("old"),
  });
  await utimes(path.join(site.dir, "old.js.gz"), 1, 1);
  const zipped = await site.get("/app.js", { "accept-encoding": "br, gzip" });
  expect(zipped.headers).toMatchObject({
    "content-encoding": "gzip",
    vary: "accept-encoding",
    "content-type": "text/javascript; charset=utf-8",
  });
  expect(
    (await site.get("/app.js", { "accept-encoding": "gzip;q=0" })).headers["content-encoding"],
  ).toBeUndefined();
  expect(await site.get("/old.js", { "accept-encoding": "gzip" })).toMatchObject({ body: "new" });
});

test("names with a content hash may be kept for ever, pages may not", async () => {
  await using site = await served({ "index.html": "", "assets/index-Cr0lldLS.js": "", "logo.svg": "" });
  expect((await site.get("/assets/index-Cr0lldLS.js")).headers["cache-control"]).toContain("immutable");
  for (const url of ["/", "/logo.svg"])
    expect((await site.get(url)).headers["cache-control"]).toContain("max-age=0");
});

test("ends with 0 on SIGTERM", async () => {
  await using site = await served({ "index.html": "" });
  expect((await site.get("/")).status).toBe(200);
  expect(await site.stop()).toBe(0);
});
