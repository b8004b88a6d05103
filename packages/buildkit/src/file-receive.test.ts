import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { receive } from "./file-receive.ts";
import { goMode } from "./go-mode.ts";
import type { ServedCall } from "./grpc-server.ts";
import { packetKind as kind, packets, type FileStat, type Packet } from "./packets.ts";

test("replaces what lies at the same place, and writes through no link", async () => {
  const [dir, elsewhere] = [aFolder(), aFolder()];
  symlinkSync(elsewhere, join(dir, "folder"));
  symlinkSync(join(elsewhere, "target"), join(dir, "file"));
  await received(dir, [
    { path: "file", mode: 0o640 },
    aFolderEntry("folder"),
    { path: "folder/in", mode: 0o600 },
  ]);
  expect(readdirSync(elsewhere)).toEqual([]);
  expect(lstatSync(join(dir, "folder")).isDirectory()).toBe(true);
  expect(readFileSync(join(dir, "file"), "utf8")).toBe("content of file");
  expect(lstatSync(join(dir, "file")).mode & 0o777).toBe(0o640);
});

test.each([
  [[{ path: "../out", mode: 0o644 }]],
  [[{ path: "/etc/out", mode: 0o644 }]],
  [[aFolderEntry("a"), { path: "a/../../out", mode: 0o644 }]],
  [
    [
      { path: "link", mode: goMode.link, linkname: "/etc" },
      { path: "link/out", mode: 0o644 },
    ],
  ],
  [[{ path: "hard", mode: 0o644, linkname: "../../etc/passwd" }]],
  [[{ path: "", mode: 0o644 }]],
])("refuses a tree that would write outside of the folder: %j", async (entries) => {
  const dir = aFolder();
  await expect(received(dir, entries)).rejects.toThrow(/is refused|without the folder/);
  expect(existsSync(join(dir, "..", "out"))).toBe(false);
});

test("makes hard links within the folder, and leaves out devices", async () => {
  const dir = aFolder();
  await received(dir, [
    { path: "first", mode: 0o644 },
    { path: "second", mode: 0o644, linkname: "first" },
    { path: "device", mode: goMode.device + 0o666 },
  ]);
  expect(lstatSync(join(dir, "second")).ino).toBe(lstatSync(join(dir, "first")).ino);
  expect(existsSync(join(dir, "device"))).toBe(false);
});

function aFolderEntry(path: string): Partial<FileStat> {
  return { path, mode: goMode.directory + 0o755 };
}

/** The builder's side: names the entries, and answers what is asked for. */
async function received(dir: string, entries: readonly Partial<FileStat>[]): Promise<void> {
  const [outbox, closed]: [Partial<Packet>[], Partial<Packet>] = [
    entries.map((stat) => ({ type: kind.stat, stat })),
    { type: kind.finish },
  ];
  let wake = Promise.withResolvers<void>();
  outbox.push({ type: kind.stat });
  const call: ServedCall = {
    metadata: () => [],
    messages: (async function* () {
      for (;;) {
        const next = outbox.shift();
        if (next) yield packets.encode(next);
        else await wake.promise;
      }
    })(),
    send: (message) => {
      const { type, id = 0 } = packets.decode(message);
      if (type === kind.finish) outbox.push(closed);
      if (type === kind.request) {
        const data = Buffer.from(`content of ${entries[id]?.path}`);
        outbox.push({ type: kind.data, id, data }, { type: kind.data, id });
      }
      wake.resolve();
      wake = Promise.withResolvers();
      return undefined;
    },
    sendFramed: () => undefined,
    throwIfGone: () => undefined,
  };
  await receive({ dir })(call);
}

function aFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "starform-receive-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
