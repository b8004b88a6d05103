import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzipSync, gzip } from "node:zlib";
import { z } from "zod";
import type { DesiredStore, SentDocument } from "../../../core/ports.ts";
import type { KeptSecret, KeptSecrets } from "./kept-secrets.ts";

const previousMax = 10;
/** A Secret holds 1 MiB, and etcd takes 1.5 MiB with base64 and all: this leaves room for both. */
const partBytes = 700 * 1024;
/** A document is text of services; what is many times larger than any cluster's is not unpacked. */
const textBytesMax = 256 * 1024 * 1024;

const Head = z.object({
  parts: z.number().int().min(1),
  sha256: z.string(),
  etag: z.string().optional(),
  signature: z.string().optional(),
});
type Numbered = { readonly number: number; readonly part: number; readonly secret: KeptSecret };

/**
 * Desired state in Secrets `shuttle-desired-<number>-<part>`, gzipped and cut into parts. The first part is written
 * last and names the others, so that a version cut off half way is passed over.
 */
export function kubernetesDesiredStore(secrets: KeptSecrets): DesiredStore {
  /** What this process wrote or read last, so that a save need not read everything again. */
  let latest: { readonly number: number; readonly digest: string | undefined } | undefined;
  const load = async () => {
    const kept = versionsOf((await secrets.list()).flatMap(numbered));
    const newest = kept[0];
    if (newest) latest = { number: newest[0]!.number, digest: digestOf(documentOf(newest)) };
    return kept;
  };
  const numbers = async () => (await secrets.names()).flatMap((name) => numberIn(name) ?? []);
  return {
    load: async () => (await load()).flatMap((version) => documentOf(version) ?? []),
    async save(sent) {
      const [known, body] = await Promise.all([numbers(), gzipped(Buffer.from(sent.text, "utf8"))]);
      const highest = Math.max(0, ...known.map(({ number }) => number));
      // Another Shuttle wrote it, or this one and the answer was lost.
      if (highest > 0 && latest?.number !== highest) await load();
      const isSame = latest?.number === highest && latest.digest === digestOf(sent);
      const number = highest + (isSame ? 0 : 1);
      for (const secret of secretsOf(number, sent, body)) await secrets.put(secret);
      latest = { number, digest: digestOf(sent) };
    },
    async prune() {
      const known = await numbers();
      const newestFirst = [...new Set(known.map(({ number }) => number))].sort((x, y) => y - x);
      const staying = new Set(newestFirst.slice(0, previousMax + 1));
      for (const { name, number } of known) if (!staying.has(number)) await secrets.remove(name);
    },
  };
}

function numberIn(name: string): { name: string; number: number; part: number } | undefined {
  const [, number, part] = /^shuttle-desired-(\d+)-(\d+)$/.exec(name) ?? [];
  return number && part ? { name, number: Number(number), part: Number(part) } : undefined;
}

function numbered(secret: KeptSecret): Numbered[] {
  const found = numberIn(secret.name);
  return found ? [{ number: found.number, part: found.part, secret }] : [];
}

/** Newest first, each with its parts in order. */
function versionsOf(all: readonly Numbered[]): Numbered[][] {
  const byNumber = Map.groupBy(all, ({ number }) => number);
  return [...byNumber.values()]
    .map((parts) => parts.sort((a, b) => a.part - b.part))
    .sort((a, b) => b[0]!.number - a[0]!.number);
}

function documentOf(parts: readonly Numbered[]): SentDocument | undefined {
  try {
    const first = parts[0]?.part === 0 ? parts[0].secret.data : undefined;
    const head = Head.parse(JSON.parse(first?.["head"]?.toString("utf8") ?? ""));
    const body = Buffer.concat(
      parts.slice(0, head.parts).map(({ secret }) => secret.data["body"] ?? Buffer.alloc(0)),
    );
    if (sha256(body) !== head.sha256) return undefined;
    const text = gunzipSync(body, { maxOutputLength: textBytesMax }).toString("utf8");
    return { text, signature: head.signature, etag: head.etag };
  } catch {
    return undefined;
  }
}

function secretsOf(number: number, { signature, etag }: SentDocument, body: Buffer): KeptSecret[] {
  const parts = Math.max(1, Math.ceil(body.length / partBytes));
  const head = { parts, sha256: sha256(body), etag, signature };
  return Array.from({ length: parts }, (_, part) => ({
    name: `shuttle-desired-${String(number).padStart(8, "0")}-${part}`,
    data: {
      body: body.subarray(part * partBytes, (part + 1) * partBytes),
      ...(part === 0 ? { head: Buffer.from(JSON.stringify(head)) } : {}),
    },
  })).toReversed();
}

const gzipped = promisify<Buffer, Buffer>(gzip);
const digestOf = (document: SentDocument | undefined): string | undefined =>
  document && sha256(Buffer.from(document.text, "utf8"));
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
