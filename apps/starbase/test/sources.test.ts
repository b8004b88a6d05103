import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { folderSourceStore } from "../src/adapters/sources/source-store.ts";
import type { SourceRef } from "../src/core/builds/ports.ts";
import { aRepository } from "./git-http.ts";
import { endlessRefs } from "./endless-refs.ts";
import { inPieces, tarOf, type TarMember } from "./tar-file.ts";

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(path.join(tmpdir(), "sources-"))));
afterAll(() => rm(dir, { recursive: true, force: true }));

const serviceId = randomUUID();
const never = new AbortController().signal;
const aStore = (more: Partial<Parameters<typeof folderSourceStore>[0]> = {}) => {
  const own = path.join(dir, randomUUID());
  return folderSourceStore({
    gitDir: path.join(own, "git"),
    sourcesDir: path.join(own, "sources"),
    isFileAllowed: true,
    ...more,
  });
};
async function checkedOut(store: ReturnType<typeof aStore>, source: SourceRef) {
  const into = path.join(dir, randomUUID());
  await mkdir(into);
  return { into, ...(await store.checkOut(serviceId, source, into, never)) };
}

describe("uploads", () => {
  test("lay out what was packed: texts, executables, links, long and foreign names", async () => {
    const from = path.join(dir, randomUUID());
    const long = `${"d".repeat(80)}/${"e".repeat(120)}/${"f".repeat(200)}.txt`;
    await mkdir(path.join(from, path.dirname(long)), { recursive: true });
    await writeFile(path.join(from, long), "long");
    await writeFile(path.join(from, "größe 大.txt"), "x".repeat(100_000));
    await writeFile(path.join(from, "run.sh"), "#!/bin/sh");
    await chmod(path.join(from, "run.sh"), 0o755);
    await symlink("run.sh", path.join(from, "link"));
    await symlink("loop", path.join(from, "loop"));
    const store = aStore();
    const ids = [];
    for (const format of ["pax", "gnu"]) {
      const packed = execFileSync("tar", [`--format=${format}`, "-czf", "-", "-C", from, "."]);
      const { sourceId, sizeBytes } = await store.saveUpload(serviceId, inPieces(packed));
      expect(sizeBytes).toBe(packed.length);
      expect((await store.saveUpload(serviceId, inPieces(packed, 77))).sourceId).toBe(sourceId);
      expect(await store.hasUpload(serviceId, sourceId)).toBe(true);
      ids.push(sourceId);
      const { into } = await checkedOut(store, { kind: "upload", sourceId });
      expect(await readFile(path.join(into, long), "utf8")).toBe("long");
      expect((await lstat(path.join(into, "größe 大.txt"))).size).toBe(100_000);
      expect((await lstat(path.join(into, "run.sh"))).mode & 0o777).toBe(0o755);
      expect(await readlink(path.join(into, "link"))).toBe("run.sh");
      expect(await readlink(path.join(into, "loop"))).toBe("loop");
    }
    expect(ids[0]).not.toBe(ids[1]);
  });

  const hostile: [what: string, members: TarMember[], says: RegExp][] = [
    ["a name that climbs out", [{ name: "../evil" }], /leads out/],
    ["an absolute name", [{ name: "/etc/evil" }], /leads out/],
    ["an absolute link", [{ name: "a", type: "2", link: "/etc/passwd" }], /leads outside/],
    ["a link that climbs out", [{ name: "a/b", type: "2", link: "../../x" }], /leads outside/],
    ["a hard link", [{ name: "a", type: "1", link: "b" }], /hard link/],
    ["a device", [{ name: "a", type: "3" }], /neither a file nor a folder nor a link/],
    ["a pipe", [{ name: "a", type: "6" }], /neither/],
    ["a name with a line break", [{ name: "a\nb" }], /line break/],
    ["a name that is not UTF-8", [{ name: "a\xff" }], /not UTF-8/],
    [
      "more than fits",
      [
        { name: "a", text: "x".repeat(3_000) },
        { name: "b", text: "x".repeat(3_000) },
      ],
      /too large/,
    ],
    ["too many files", Array.from({ length: 12 }, (_, i) => ({ name: `f${i}` })), /more than 10 files/],
  ];
  test.each(hostile)("refuse %s in a sentence and keep nothing", async (_what, members, says) => {
    const sourcesDir = path.join(dir, randomUUID());
    const store = aStore({ sourcesDir, limits: { packedBytesMax: 10_000, bytesMax: 5_000, entriesMax: 10 } });
    await expect(store.saveUpload(serviceId, inPieces(tarOf(members)))).rejects.toThrow(says);
    expect(await readdir(path.join(sourcesDir, serviceId))).toEqual([]);
  });

  test("never write through a link of their own", async () => {
    const outside = path.join(dir, randomUUID());
    await mkdir(outside);
    const store = aStore();
    for (const members of [
      [
        { name: "x", type: "5" },
        { name: "a", type: "2", link: "x" },
        { name: "a/file", text: "1" },
      ],
      [
        { name: "a", text: "1" },
        { name: "a/file", text: "1" },
      ],
    ] satisfies TarMember[][]) {
      const { sourceId } = await store.saveUpload(serviceId, inPieces(tarOf(members)));
      await expect(checkedOut(store, { kind: "upload", sourceId })).rejects.toThrow(/at once/);
    }
    const twice = await store.saveUpload(
      serviceId,
      inPieces(
        tarOf([
          { name: "a", type: "2", link: "b" },
          { name: "a", text: "the later" },
        ]),
      ),
    );
    const { into } = await checkedOut(store, { kind: "upload", sourceId: twice.sourceId });
    expect(await readFile(path.join(into, "a"), "utf8")).toBe("the later");
  });

  test("refuse what is no archive, or only a part of one, or larger than allowed", async () => {
    const store = aStore({ limits: { packedBytesMax: 2_000, bytesMax: 10_000_000, entriesMax: 10 } });
    const whole = tarOf([{ name: "a", text: String(Math.random()).repeat(40) }]);
    await expect(store.saveUpload(serviceId, inPieces(Buffer.from("hello")))).rejects.toMatchObject({
      code: "malformed",
    });
    await expect(store.saveUpload(serviceId, inPieces(whole.subarray(0, -20)))).rejects.toMatchObject({
      code: "malformed",
    });
    await expect(
      store.saveUpload(serviceId, inPieces(tarOf([{ name: "a" }]).subarray(0, 0))),
    ).rejects.toMatchObject({ code: "malformed" });
    const large = Buffer.alloc(3_000, "not even gzip, but too large first");
    await expect(store.saveUpload(serviceId, inPieces(large))).rejects.toMatchObject({
      code: expect.stringMatching(/too_large|malformed/) as string,
    });
    await expect(checkedOut(store, { kind: "upload", sourceId: "0".repeat(64) })).rejects.toThrow(
      "starform up",
    );
  });
});

describe("Git addresses", () => {
  test("are fetched by branch, tag, commit or as they stand, and say which commit it was", async () => {
    await using repository = await aRepository({ "index.js": "old" });
    await repository.git("tag", "v1");
    const second = await repository.commit({ "index.js": "new" }, "second\n\nwith a body");
    const store = aStore();
    const url = `file://${repository.dir}`;
    const seen: unknown[] = [];
    for (const ref of ["main", "v1", repository.first, repository.first.slice(0, 10), "HEAD"]) {
      const { into, commit } = await checkedOut(store, { kind: "git", url, ref });
      seen.push([await readFile(path.join(into, "index.js"), "utf8"), commit?.sha, commit?.ref]);
      expect(await readdir(into)).toEqual(["index.js"]);
    }
    expect(seen).toEqual([
      ["new", second, "main"],
      ["old", repository.first, "v1"],
      ["old", repository.first, repository.first],
      ["old", repository.first, repository.first.slice(0, 10)],
      ["new", second, "HEAD"],
    ]);
  });

  test("say what is wrong: no such branch, no such repository, an empty one, ssh, a folder that is not allowed", async () => {
    await using repository = await aRepository();
    const store = aStore();
    const fails = (url: string, says: string, ref = "main", from = store) =>
      expect(checkedOut(from, { kind: "git", url, ref })).rejects.toThrow(says);
    await fails(`file://${repository.dir}`, 'there is no branch, tag or commit "trunk"', "trunk");
    await fails(`file://${repository.dir}`, "its branches are main", "trunk");
    await fails(`file://${repository.dir}-nowhere`, "cannot be read");
    const empty = path.join(dir, randomUUID());
    execFileSync("git", ["init", "--quiet", "--bare", empty]);
    await fails(`file://${empty}`, "has no branches yet");
    await fails("git@github.com:a/b.git", "ssh address");
    await fails("ext::sh -c id", "https://");
    const closed = aStore({ isFileAllowed: false });
    await fails(`file://${repository.dir}`, "may not be read on this installation", "main", closed);
    await fails(`file://${repository.dir}`, "is not the name of a branch", "--upload-pack=id");
  });

  test("of one service are fetched for two environments at once, each its own", async () => {
    await using repository = await aRepository({ "index.js": "main" });
    await repository.git("tag", "v1");
    await repository.commit({ "index.js": "newer" }, "second");
    const store = aStore();
    const url = `file://${repository.dir}`;
    const read = async (ref: string) => {
      const { into } = await checkedOut(store, { kind: "git", url, ref });
      return readFile(path.join(into, "index.js"), "utf8");
    };
    const refs = ["main", "v1", "main", "v1", "main", "v1"];
    expect(await Promise.all(refs.map(read))).toEqual(["newer", "main", "newer", "main", "newer", "main"]);
  });

  test("are refused when they are larger than a source may be, and leave nothing behind", async () => {
    await using repository = await aRepository({ "index.js": "small" });
    const url = `file://${repository.dir}`;
    const gitDir = path.join(dir, randomUUID());
    const limits = { packedBytesMax: 2 ** 20, bytesMax: 4 * 2 ** 20, entriesMax: 10 };
    const store = aStore({ gitDir, limits });
    await checkedOut(store, { kind: "git", url, ref: "main" });
    await repository.commit({ "large.bin": randomBytes(12_000_000).toString("latin1") }, "large");
    const refused = checkedOut(store, { kind: "git", url, ref: "main" });
    await expect(refused).rejects.toThrow(`the repository ${url} is larger than 4 MiB: leave large files`);
    const left = await readdir(path.join(gitDir, "fetched"), { recursive: true });
    expect(left.filter((name) => name.includes("pack-") || name.includes("tmp_"))).toEqual([]);
    // The next one is fetched as if nothing had been.
    const { into } = await checkedOut(store, { kind: "git", url, ref: repository.first });
    expect(await readFile(path.join(into, "index.js"), "utf8")).toBe("small");
  });

  test("are fetched once, by the name of their default branch, and nothing of them is kept", async () => {
    await using repository = await aRepository({ "index.js": "old" });
    await repository.git("branch", "--move", "trunk");
    const gitDir = path.join(dir, randomUUID());
    const store = aStore({ gitDir });
    const once = async (ref: string | null, from = store) => {
      const into = path.join(dir, randomUUID());
      await mkdir(into);
      const which = { id: randomUUID(), projectId: randomUUID() };
      const url = `file://${repository.dir}`;
      return { into, ...(await from.fetchOnce(which, { url, ref }, into, never)) };
    };
    const { into, branch, commit } = await once(null);
    expect({ branch, sha: commit.sha }).toEqual({ branch: "trunk", sha: repository.first });
    expect(await readFile(path.join(into, "index.js"), "utf8")).toBe("old");
    expect((await once("trunk")).branch).toBe("trunk");
    await expect(once("no-such")).rejects.toThrow('no branch, tag or commit "no-such"');
    await repository.commit({ "large.bin": randomBytes(12_000_000).toString("latin1") }, "large");
    const limits = { packedBytesMax: 2 ** 20, bytesMax: 4 * 2 ** 20, entriesMax: 10 };
    await expect(once(null, aStore({ gitDir, limits }))).rejects.toThrow("larger than 4 MiB");
    expect(await readdir(path.join(gitDir, "fetched"))).toEqual([]);
    const theirs = await store.repositoryDir(randomUUID());
    const which = { id: randomUUID(), projectId: randomUUID() };
    await expect(store.fetchOnce(which, { url: `file://${theirs}`, ref: null }, into, never)).rejects.toThrow(
      "Starform itself",
    );
  });

  test("are told with the beginning of what their commit says, and no more of it is read than that", async () => {
    await using repository = await aRepository();
    await writeFile(path.join(repository.dir, ".git", "message"), `long\n\n${"ä".repeat(3_000_000)}`);
    await repository.git("commit", "--quiet", "--allow-empty", "--file", ".git/message");
    const { commit } = await checkedOut(aStore(), {
      kind: "git",
      url: `file://${repository.dir}`,
      ref: "main",
    });
    expect(commit?.message).toBe(`long\n\n${"ä".repeat(1_018)}`);
    const { git } = aStore();
    const log = ["log", "--max-count=1", "--format=%B"];
    const cwd = repository.dir;
    await expect(git.run(log, { cwd })).rejects.toThrow(
      "git log failed: it was ended, because it printed more than 4 MiB",
    );
    await expect(git.run(log, { cwd, bytesMax: 1_000 })).rejects.toThrow("more than 1000 bytes");
    expect(await git.run(log, { cwd, bytesMax: 2 ** 23 })).toHaveLength(3_000_008);
    expect(await git.beginning(log, { cwd, bytesMax: 4 })).toEqual({ text: "long", isWhole: false });
  });

  test("whose branches are many are told with the first of them", async () => {
    await using repository = await aRepository();
    const refs = Array.from({ length: 2_000 }, (_, at) => `${repository.first} refs/heads/b${at}\n`);
    await writeFile(path.join(repository.dir, ".git", "packed-refs"), refs.join(""));
    const fetching = checkedOut(aStore(), { kind: "git", url: `file://${repository.dir}`, ref: "trunk" });
    await expect(fetching).rejects.toThrow(/its branches are b0, (b\d+, ){9}…$/);
  });

  test("have one time for all that their server is asked, which may let each wait", async () => {
    let asked = 0;
    // A commit that is not given at once is asked for once more, with the branches, and then the branches alone.
    const server = createServer((_, response) => void ((asked += 1) === 1 && response.writeHead(404).end()));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`;
    const fetching = checkedOut(aStore({ fetchTimeoutMs: 3_000 }), { kind: "git", url, ref: "a".repeat(40) });
    await expect(fetching).rejects.toThrow(`fetching ${url} took longer than 3 s`);
    expect(asked).toBeLessThan(3);
    server.closeAllConnections();
    server.close();
  });

  const little = { gitMemoryBytesMax: 64 * 2 ** 20 };
  const isLinux = process.platform === "linux";

  test.runIf(isLinux).each([2, 0])(
    "whose server names branches without end (protocol %i) end with what to do, long before this machine's memory",
    async (protocol) => {
      await using server = await endlessRefs(protocol);
      const fetching = checkedOut(aStore(little), { kind: "git", url: server.url, ref: "main" });
      await expect(fetching).rejects.toThrow(
        `git would need more than 64 MiB of memory for the repository ${server.url}: it names too many branches`,
      );
      expect(server.sentBytes()).toBeLessThan(2 ** 30);
    },
  );

  test.runIf(isLinux)("whose files are larger than git's memory are laid out all the same", async () => {
    await using repository = await aRepository();
    await writeFile(path.join(repository.dir, "large.bin"), Buffer.alloc(96 * 2 ** 20));
    await repository.git("add", "large.bin");
    await repository.git("commit", "--quiet", "--message", "large");
    const url = `file://${repository.dir}`;
    const { into } = await checkedOut(aStore(little), { kind: "git", url, ref: "main" });
    expect((await lstat(path.join(into, "large.bin"))).size).toBe(96 * 2 ** 20);
  });

  test("never name what others pushed here", async () => {
    const gitDir = path.join(dir, randomUUID());
    const store = aStore({ gitDir });
    const theirs = await store.repositoryDir(randomUUID());
    for (const url of [`file://${theirs}`, `file://${gitDir}/../${path.basename(gitDir)}/x.git`])
      await expect(checkedOut(store, { kind: "git", url, ref: "main" })).rejects.toThrow("Starform itself");
  });

  test("never show the token in an address", async () => {
    const url = "http://me:sesame-open@127.0.0.1:9/a/b.git";
    const failure = (await checkedOut(aStore(), { kind: "git", url, ref: "main" }).catch(
      (error: unknown) => error,
    )) as Error;
    expect(failure.message).toContain("http://***@127.0.0.1:9/a/b.git cannot be read");
    expect(failure.message).not.toContain("sesame");
  });
});

describe("the built-in repositories", () => {
  test("give what a clone would, whatever .gitattributes keeps out of archives", async () => {
    const files = { ".gitattributes": "* export-ignore\n*.txt export-subst\n", "a.txt": "$Format:%H$" };
    await using repository = await aRepository(files);
    const store = aStore();
    await repository.git("push", `file://${await store.repositoryDir(serviceId)}`, "main");
    const { into } = await checkedOut(store, { kind: "commit", sha: repository.first });
    expect(await readFile(path.join(into, "a.txt"), "utf8")).toBe("$Format:%H$");
  });

  test("refuse to give half a source when an object is missing", async () => {
    await using repository = await aRepository({ "a.txt": "1", "b.txt": "2" });
    const store = aStore();
    const bare = await store.repositoryDir(serviceId);
    await repository.git("push", `file://${bare}`, "main");
    const blob = (await repository.git("rev-parse", "main:b.txt")).text.trim();
    await rm(path.join(bare, "objects", blob.slice(0, 2), blob.slice(2)), { force: true });
    await expect(checkedOut(store, { kind: "commit", sha: repository.first })).rejects.toThrow(
      /git archive failed/,
    );
  });

  test("say when a commit is not there any more", async () => {
    await expect(checkedOut(aStore(), { kind: "commit", sha: "1".repeat(40) })).rejects.toThrow(
      "push it again",
    );
  });
});
