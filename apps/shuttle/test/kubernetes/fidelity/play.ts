import { randomUUID } from "node:crypto";
import type { Answering } from "./answering.ts";
import { comparable } from "./comparable.ts";
import type { Asking, Chapter } from "./request.ts";

/** What was asked and what came back, in the form in which two servers' answers must be equal. */
export type Played = { readonly asked: string; readonly answer: unknown };

/** Plays a chapter in a new namespace, which is removed afterwards. */
export async function play({ labels = {}, requests }: Chapter, server: Answering): Promise<Played[]> {
  const ns = `fidelity-${randomUUID().slice(0, 13)}`;
  const space = { apiVersion: "v1", kind: "Namespace", metadata: { name: ns, labels } };
  const made = await server.ask({ method: "POST", path: "/api/v1/namespaces", body: space }, ns);
  if (made.status !== 201) throw new Error(`no namespace was made: ${JSON.stringify(made.body)}`);
  try {
    const played: Played[] = [];
    for (const asking of requests) {
      const answer = comparable(await server.ask(asking, ns), ns);
      played.push({ asked: titleOf(asking), answer: asking.isUnshown ? "waited" : answer });
    }
    return played;
  } finally {
    await server.ask({ method: "DELETE", path: `/api/v1/namespaces/${ns}` }, ns);
  }
}

const titleOf = ({ method, path, query, body }: Asking): string => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return `${method} ${path}${query ? `?${query.slice(0, 200)}` : ""}${text === undefined ? "" : ` ${text.slice(0, 600)}`}`;
};
