import { instanceLabel } from "./container-spec.ts";

/** `isKilled`: it was told to end through the engine, by whoever stops it or the engine itself. */
export type Ending = { readonly id: string; readonly isKilled: boolean };
type Event = {
  readonly Action?: string;
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
};

/** HUP, USR1 and USR2 are sent to tell a program something, and not to end it. */
const tellingSignals = new Set(["1", "10", "12"]);

/** The engine's events `kill` and `die` as they come: each end of an instance, and whether it was asked for. */
export async function* endings(events: AsyncIterable<Buffer>): AsyncGenerator<Ending> {
  const killed = new Set<string>();
  let rest = "";
  for await (const chunk of events) {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const { Action: action, Actor: actor } = JSON.parse(line || "{}") as Event;
      const id = actor?.Attributes?.[instanceLabel];
      if (!id) continue;
      if (action === "die") yield { id, isKilled: killed.delete(id) };
      else if (!tellingSignals.has(actor?.Attributes?.["signal"] ?? "")) killed.add(id);
    }
  }
}
