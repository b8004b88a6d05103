import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openKubeApi } from "../src/open-kube-api.ts";
import type { WatchEvent } from "../src/kube-api.ts";
import { json, refusal, scriptedServer } from "./scripted-server.ts";

const pod = { apiVersion: "v1", kind: "Pod" };
const opened = async (answer: Parameters<typeof scriptedServer>[0], timeoutMs = 5_000) => {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await scriptedServer(answer));
  const api = stack.use(await openKubeApi({ kubeconfig: server.kubeconfig }, { timeoutMs }));
  return { server, api, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};
const item = (name: string) => ({ metadata: { name, namespace: "n" } });

describe("a call", () => {
  test("applies on the server's side, strictly, in the name of its field manager", async () => {
    await using it = await opened(({ body }, response) => json(response, 200, JSON.parse(body)));
    const map = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a", namespace: "n" },
      data: { a: "b" },
    };
    expect(await it.api.apply(map, { fieldManager: "shuttle", force: true })).toEqual(map);
    const asked = it.server.asked.at(-1)!;
    expect(`${asked.method} ${asked.path}?${asked.query.toString()}`).toBe(
      "PATCH /api/v1/namespaces/n/configmaps/a?fieldManager=shuttle&fieldValidation=Strict&force=true",
    );
    expect(asked.headers).toMatchObject({
      "content-type": "application/apply-patch+yaml",
      authorization: "Bearer secret-token",
    });
  });

  test("answers undefined for what is not there, and false for what was not deleted", async () => {
    await using it = await opened((_, response) => json(response, 404, refusal(404, "NotFound")));
    const ref = { ...pod, namespace: "n", name: "a" };
    expect(await it.api.get(ref)).toBeUndefined();
    expect(await it.api.delete(ref)).toBe(false);
  });

  test("deletes the object that was meant and no other of its name", async () => {
    await using it = await opened((_, response) => json(response, 409, refusal(409, "Conflict")));
    const ref = { ...pod, namespace: "n", name: "a" };
    expect(await it.api.delete({ ...ref, uid: "one" })).toBe(false);
    expect(JSON.parse(it.server.asked.at(-1)!.body)).toMatchObject({
      preconditions: { uid: "one" },
      propagationPolicy: "Background",
    });
    await expect(it.api.delete(ref)).rejects.toMatchObject({ status: 409 });
  });

  test("tells a refusal in the server's own words, and when to come again", async () => {
    await using it = await opened((_, response) => {
      response.setHeader("retry-after", "7");
      json(response, 429, refusal(429, "TooManyRequests"));
    });
    await expect(it.api.get({ ...pod, namespace: "n", name: "a" })).rejects.toMatchObject({
      status: 429,
      reason: "TooManyRequests",
      message: "it is TooManyRequests",
      body: { details: { retryAfterSeconds: 7 } },
    });
  });

  test("says that the server cannot be reached, that it is too slow, and that it was cut off", async () => {
    await using gone = await opened(() => undefined);
    await gone.server[Symbol.asyncDispose]().catch(() => undefined);
    await expect(gone.api.version()).rejects.toMatchObject({ status: 0, reason: "Unreachable" });

    await using slow = await opened(() => undefined, 60);
    await expect(slow.api.version()).rejects.toThrow(/cannot be reached: no answer within 0.06 s/);

    await using cut = await opened((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{", () => response.destroy());
    });
    await expect(cut.api.version()).rejects.toMatchObject({ status: 0, reason: "Unreachable" });
  });

  test("ends with the caller's own reason when the caller gives up", async () => {
    await using it = await opened(() => undefined);
    const giving = new AbortController();
    const asking = it.api.version(giving.signal);
    giving.abort(new Error("enough"));
    await expect(asking).rejects.toThrow("enough");
  });

  test("reads discovery once, and once more for a kind it does not know", async () => {
    await using it = await opened((_, response) => json(response, 200, item("a")));
    const read = () => it.server.asked.filter(({ path }) => path === "/api/v1").length;
    await Promise.all(["a", "b", "c"].map((name) => it.api.get({ ...pod, namespace: "n", name })));
    await it.api.get({ ...pod, namespace: "n", name: "d" });
    expect(read()).toBeLessThanOrEqual(3);
    const before = read();
    expect(await it.api.serves({ apiVersion: "v1", kind: "Unheard" })).toBe(false);
    expect(read()).toBe(before + 1);
    await expect(it.api.get({ apiVersion: "v1", kind: "Unheard", name: "a" })).resolves.toBeUndefined();
    expect(await it.api.serves(pod)).toBe(true);
  });

  test("reads the text of a log, and nothing of a pod that has none", async () => {
    await using it = await opened(({ query }, response) => {
      if (query.get("previous") === "true") return response.writeHead(204).end();
      return response.writeHead(200, { "content-type": "text/plain" }).end("one\ntwo\n");
    });
    const ref = { namespace: "n", pod: "a", container: "app", tailLines: 5 };
    expect(await it.api.podLog(ref)).toBe("one\ntwo\n");
    expect(await it.api.podLog({ ...ref, previous: true })).toBe("");
    expect(it.server.asked.at(-1)!.query.get("tailLines")).toBe("5");
  });
});

describe("a list", () => {
  test("is read page by page, and every item says what it is", async () => {
    await using it = await opened(({ query }, response) =>
      json(
        response,
        200,
        query.get("continue") === null
          ? { metadata: { resourceVersion: "7", continue: "more" }, items: [item("a")] }
          : { metadata: { resourceVersion: "7" }, items: [item("b")] },
      ),
    );
    const list = await it.api.list(pod, { labelSelector: "x=y", pageSize: 1 });
    expect(list).toEqual({
      items: [
        { ...pod, ...item("a") },
        { ...pod, ...item("b") },
      ],
      resourceVersion: "7",
    });
    expect(
      it.server.asked.filter(({ path }) => path === "/api/v1/pods").map(({ query }) => query.get("limit")),
    ).toEqual(["1", "1"]);
  });

  test("is begun anew when it grew too old between two pages, so that nothing is missing before the watch", async () => {
    let rounds = 0;
    await using it = await opened(({ query }, response) => {
      if (query.get("continue") === null) {
        rounds += 1;
        return json(response, 200, {
          metadata: { resourceVersion: String(rounds), continue: "more" },
          items: [item(`a${rounds}`)],
        });
      }
      return rounds === 1
        ? json(response, 410, refusal(410, "Expired", { metadata: { continue: "inconsistent" } }))
        : json(response, 200, { metadata: { resourceVersion: "2" }, items: [item("b")] });
    });
    const { items, resourceVersion } = await it.api.list(pod, {});
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["a2", "b"]);
    expect(resourceVersion).toBe("2");
  });

  test("of metadata never asks for bodies", async () => {
    await using it = await opened((_, response) =>
      json(response, 200, {
        metadata: { resourceVersion: "1" },
        items: [{ kind: "PartialObjectMetadata", ...item("a") }],
      }),
    );
    const { items } = await it.api.list(pod, { metadataOnly: true });
    expect(it.server.asked.at(-1)!.headers.accept).toMatch(/as=PartialObjectMetadataList/);
    expect(items).toEqual([{ ...pod, ...item("a") }]);
  });
});

test("one object's metadata is had without its body", async () => {
  await using it = await opened((_, response) =>
    json(response, 200, { kind: "PartialObjectMetadata", ...item("a") }),
  );
  const object = await it.api.get({ ...pod, name: "a", namespace: "n", metadataOnly: true });
  expect(it.server.asked.at(-1)!.headers.accept).toMatch(/as=PartialObjectMetadata;/);
  expect(object).toEqual({ ...pod, ...item("a") });
});

describe("a watch", () => {
  const watched = async (write: (lines: (text: string) => void, end: () => void) => void) => {
    await using it = await opened((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      write(
        (text) => void response.write(text),
        () => void response.end(),
      );
    });
    const seen: WatchEvent[] = [];
    const stop = new AbortController();
    for await (const event of it.api.watch(pod, { resourceVersion: "5" }, stop.signal)) seen.push(event);
    return { seen, query: it.server.asked.at(-1)!.query };
  };
  const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;

  test("tells every event after the version, however the bytes arrive, until the server ends it", async () => {
    const { seen, query } = await watched((write, end) => {
      const text = line("ADDED", item("ä")) + line("BOOKMARK", { metadata: { resourceVersion: "9" } });
      for (const byte of text.match(/.{1,7}/gsu) ?? []) write(byte);
      end();
    });
    expect(seen.map(({ type }) => type)).toEqual(["ADDED", "BOOKMARK"]);
    expect(seen[0]!.object.metadata.name).toBe("ä");
    expect(query.get("resourceVersion")).toBe("5");
    expect(query.get("allowWatchBookmarks")).toBe("true");
    expect(Number(query.get("timeoutSeconds"))).toBeLessThan(300);
  });

  test("ends with 410 when the version is too old, though the answer began with 200", async () => {
    const watching = watched((write, end) => {
      write(line("ERROR", refusal(410, "Expired")));
      end();
    });
    await expect(watching).rejects.toMatchObject({ status: 410, reason: "Expired" });
  });
});

test("in a cluster the token of the service account is read again when it was renewed", async () => {
  const mount = mkdtempSync(join(tmpdir(), "starform-account-"));
  try {
    writeFileSync(join(mount, "token"), "first\n");
    await using server = await scriptedServer((_, response) =>
      json(response, 200, { gitVersion: "v1.36.2" }),
    );
    await using api = await openKubeApi({ inCluster: true, mount, server: server.url });
    expect(await api.version()).toBe("v1.36.2");
    expect(server.asked.at(-1)!.headers.authorization).toBe("Bearer first");
    writeFileSync(join(mount, "renewed"), "second\n");
    renameSync(join(mount, "renewed"), join(mount, "token"));
    await api.version();
    expect(server.asked.at(-1)!.headers.authorization).toBe("Bearer second");
  } finally {
    rmSync(mount, { recursive: true });
  }
});

test("a kubeconfig without the context it speaks of is refused at once", async () => {
  await using server = await scriptedServer(() => undefined);
  await expect(openKubeApi({ kubeconfig: server.kubeconfig, context: "elsewhere" })).rejects.toThrow(
    /"elsewhere"/,
  );
});
