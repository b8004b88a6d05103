import { Agent } from "node:http";
import { visit, type Answer } from "./visit.ts";

export type Sent = {
  readonly method: "GET" | "POST";
  readonly connection: "kept" | "fresh";
  readonly body: string;
};
export type Failure = Sent & { readonly atMs: number; readonly why: string };
export type LoadReport = {
  readonly sent: number;
  readonly answered: number;
  readonly failures: readonly Failure[];
  /** Requests that were due and left out, because this machine could not keep up. */
  readonly leftOut: number;
  /** How long requests were sent for. */
  readonly seconds: number;
};
type LoadOptions = {
  readonly url: string;
  readonly perSecond: number;
  /** Why an answer is wrong; undefined if it is right. `began` is what `mark` answered when it was sent. */
  judge(answer: Answer, sent: Sent, began: number): string | undefined;
  /** Asked as each request is sent. */
  mark(): number;
};

/** Beyond this many at once the generator is what is slow, and it waits. */
const underWayMax = 1_000;
const tickMs = 5;

/**
 * Sends requests at a steady rate whatever becomes of those before (an open loop): GET and POST by turns, every other
 * pair on a kept connection. A broken connection, an answer that never came and a wrong one are failures.
 */
export function openLoad({ url, perSecond, judge, mark }: LoadOptions) {
  const kept = new Agent({ keepAlive: true, maxSockets: 64 });
  const startedAt = performance.now();
  const failures: Failure[] = [];
  const underWay = new Set<Promise<void>>();
  let [due, sent, answered, leftOut] = [0, 0, 0, 0];

  const send = async (n: number): Promise<void> => {
    const method = n % 2 === 0 ? "GET" : "POST";
    const connection = n % 4 < 2 ? "kept" : "fresh";
    const asked: Sent = { method, connection, body: method === "POST" ? `parcel-${n}` : "" };
    const began = mark();
    const atMs = performance.now() - startedAt;
    try {
      const answer = await visit(url, { method, body: asked.body, agent: connection === "kept" && kept });
      const why =
        answer.status === 200 ? judge(answer, asked, began) : `${answer.status} ${answer.body.slice(0, 300)}`;
      if (why === undefined) answered += 1;
      else failures.push({ ...asked, atMs, why });
    } catch (error) {
      failures.push({ ...asked, atMs, why: (error as Error).message });
    }
  };
  const timer = setInterval(() => {
    const goal = ((performance.now() - startedAt) / 1_000) * perSecond;
    for (; due < goal; due += 1) {
      if (underWay.size >= underWayMax) {
        leftOut += 1;
        continue;
      }
      const one = send(sent++).finally(() => underWay.delete(one));
      underWay.add(one);
    }
  }, tickMs);
  const report = (endedAt = performance.now()): LoadReport => ({
    sent,
    answered,
    failures,
    leftOut,
    seconds: (endedAt - startedAt) / 1_000,
  });
  return {
    report: () => report(),
    /** Sends no more, and resolves when the last answer is there. */
    async stop(): Promise<LoadReport> {
      clearInterval(timer);
      const endedAt = performance.now();
      await Promise.all(underWay);
      kept.destroy();
      return report(endedAt);
    },
  };
}
