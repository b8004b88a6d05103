import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { insertRows } from "../src/insert-rows.ts";

const batch = { name: "1", token: "t", rows: '{"message":"a"}\n{"message":"b"}\n', lines: 2 };
const asked: { method: string; path: string; authorization: string; body: string }[] = [];
let status = 200;
const server = createServer((request, response) => {
  void text(request).then((body) => {
    const { method = "", url: path = "", headers } = request;
    asked.push({ method, path, authorization: headers.authorization ?? "", body });
    response.writeHead(status).end("so it is");
  });
});
let url = "";
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => void asked.splice(0));
afterAll(() => server.close());

describe("a region's door for logs", () => {
  test("gets one row a line at its path, with the token that the cluster has at that moment", async () => {
    status = 200;
    let token = "one";
    const insert = insertRows({ url, token: () => token });
    expect(await insert(batch)).toEqual({ kind: "stored" });
    token = "two";
    await insert(batch);
    const call = { method: "POST", path: "/logs", body: batch.rows };
    expect(asked).toEqual([
      { ...call, authorization: "Bearer one" },
      { ...call, authorization: "Bearer two" },
    ]);
  });

  test("waits for a token that cannot be read yet", async () => {
    status = 200;
    const token = () => {
      throw new Error("ENOENT: no such file");
    };
    expect(await insertRows({ url, token })(batch)).toEqual({
      kind: "failed",
      why: "the token for the log store cannot be read: Error: ENOENT: no such file",
    });
    expect(asked).toEqual([]);
  });

  test.each([
    [400, "refused"],
    [413, "refused"],
    [401, "failed"],
    [404, "failed"],
    [500, "failed"],
    [503, "failed"],
  ])("that answers %i has %s them", async (answered, kind) => {
    status = answered;
    expect(await insertRows({ url, token: () => "t" })(batch)).toEqual({
      kind,
      why: `the log store answered ${answered}: so it is`,
    });
  });

  test("whose token cannot be read, or that is away, has failed to take them", async () => {
    const token = () => {
      throw new Error("no such file");
    };
    const unread = await insertRows({ url, token })(batch);
    expect(unread).toMatchObject({ kind: "failed", why: expect.stringContaining("no such file") as string });
    expect(asked).toEqual([]);
    const away = await insertRows({ url: "http://127.0.0.1:9", token: () => "t" })(batch);
    expect(away).toMatchObject({ kind: "failed", why: expect.stringContaining("127.0.0.1:9") as string });
  });
});
