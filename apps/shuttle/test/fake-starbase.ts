import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  signatureHeader,
  type CronRunReport,
  type Snapshot,
  type StatusReport,
} from "@starform/contract/clusters";
import { pause } from "@starform/std/retry";

/** What is wrong with an answer; `cut` breaks the connection before the call is heard, or when its answer is due. */
export type Odd =
  | { readonly status: number }
  | { readonly cut: "before" | "after" }
  | { readonly delayMs: number }
  /** Instead of the document. */
  | { readonly text: string; readonly signature?: string };
/** By the call's last word ("status") and its whole path; undefined lets it be. */
type Misbehaviour = (call: string, path: string) => Odd | undefined;

/** Starbase's side of the wire: it holds a document and writes down what it is told. */
export async function openFakeStarbase(
  token: string,
  port = 0,
  sign: ((text: string) => string) | undefined = undefined,
) {
  /** As it is sent; undefined before the first. */
  let document: { readonly text: string; readonly etag: string } | undefined;
  let isAway = false;
  const waiting = new Set<() => void>();
  const told = {
    reports: new Map<string, StatusReport>(),
    history: [] as StatusReport[],
    runs: new Map<string, CronRunReport>(),
    snapshots: new Map<string, Snapshot>(),
    capacity: [] as Record<string, unknown>[],
    registered: [] as Record<string, unknown>[],
    repeated: 0,
    documents: [] as string[],
  };
  /** Services whose reports and snapshots are not taken, and why. */
  const refusing = new Map<string, string>();
  const refusedOf = <T extends { readonly service_id: string }>(all: readonly T[]) =>
    all.flatMap((one) => {
      const reason = refusing.get(one.service_id);
      return reason === undefined ? [] : [{ ...one, reason }];
    });
  const misbehaviours = new Set<Misbehaviour>();
  const oddOf = (call: string, path: string): Odd | undefined => {
    for (const misbehaviour of misbehaviours) {
      const odd = misbehaviour(call, path);
      if (odd) return odd;
    }
    return undefined;
  };
  const etagNow = () => document?.etag ?? "";

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url!, "http://starbase");
    const call = url.pathname.split("/").at(-1) ?? "";
    const odd = oddOf(call, url.pathname);
    const send = (status: number, text?: string, headers = {}) => {
      if (odd && "cut" in odd) return void request.socket.destroy();
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(text);
    };
    const reply = (status: number, body?: unknown, headers = {}) =>
      send(status, body === undefined ? undefined : JSON.stringify(body), headers);
    if (isAway || (odd && "cut" in odd && odd.cut === "before")) return void request.socket.destroy();
    if (request.headers.authorization !== `Bearer ${token}`) return reply(401, {});
    if (odd && "delayMs" in odd) await pause(odd.delayMs);
    if (odd && "status" in odd) return reply(odd.status, {});
    if (odd && "text" in odd && call === "desired-state")
      return send(200, odd.text, {
        etag: etagOf(odd.text),
        ...(odd.signature === undefined ? {} : { [signatureHeader]: odd.signature }),
      });
    if (call === "desired-state") {
      const wait = Number(url.searchParams.get("wait") ?? 0);
      if (document === undefined) return reply(503, {});
      if (request.headers["if-none-match"] === etagNow() && wait > 0)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, wait * 1_000);
          const wake = () => {
            clearTimeout(timer);
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
          request.on("close", wake);
        });
      if (request.headers["if-none-match"] !== etagNow()) told.documents.push(etagNow());
      return request.headers["if-none-match"] === etagNow()
        ? reply(304)
        : send(200, document.text, {
            etag: document.etag,
            ...(sign ? { [signatureHeader]: sign(document.text) } : {}),
          });
    }
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
    if (call === "status") {
      for (const report of body["reports"] as StatusReport[]) {
        told.reports.set(report.service_id, report);
        told.history.push(report);
      }
      for (const run of (body["cron_runs"] ?? []) as CronRunReport[]) told.runs.set(run.run_id, run);
      return reply(200, { accepted: 0, refused: refusedOf(body["reports"] as StatusReport[]) });
    }
    if (call === "snapshots") {
      const snapshots = body["snapshots"] as Snapshot[];
      const fresh = snapshots.filter((snapshot) => !told.snapshots.has(snapshot.snapshot_id));
      for (const snapshot of fresh) told.snapshots.set(snapshot.snapshot_id, snapshot);
      told.repeated += snapshots.length - fresh.length;
      const repeated = snapshots.length - fresh.length;
      return reply(200, { accepted: fresh.length, repeated, refused: refusedOf(snapshots) });
    }
    if (call === "capacity") {
      told.capacity.push(body);
      return reply(204);
    }
    told.registered.push(body);
    reply(200, { cluster_id: body["cluster_id"] ?? "00000000-0000-4000-8000-000000000000", region: "local" });
  };
  const server = createServer(
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  );
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    told,
    refusing,
    /** The etag of the document, found in `told.documents` once it was handed out. */
    publish(next: unknown): string {
      const text = JSON.stringify(next);
      document = { text, etag: etagOf(text) };
      for (const wake of waiting) wake();
      return etagNow();
    },
    /** Until the answer is called, calls that it says so of go wrong; whoever waits for news is sent away. */
    misbehave(how: Misbehaviour): () => void {
      misbehaviours.add(how);
      for (const wake of waiting) wake();
      return () => void misbehaviours.delete(how);
    },
    goAway(): void {
      isAway = true;
      server.closeAllConnections();
    },
    comeBack: () => void (isAway = false),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const etagOf = (text: string): string => `"${createHash("sha256").update(text).digest("hex")}"`;
