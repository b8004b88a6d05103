import { BuildFailed } from "./build-failed.ts";
import { BuilderLost } from "./builder-lost.ts";
import type { BuildKit, Capabilities } from "./client.ts";
import type { Frontend } from "./gateway.ts";

/** Far more than a builder takes that is at work, for a question that nothing is built for. */
const answerMs = 60_000;
/** The same for one of many answers, each after work of its own: a layer of gigabytes is removed in less. */
const nextAnswerMs = 600_000;

/** The answer to a question; rejects with BuilderLost where the builder leaves it open. */
export async function answered<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  using late = silence(answerMs);
  return await ask(late.signal);
}

/** All answers to a question; rejects with BuilderLost where the builder falls silent for ten minutes before the end. */
export async function allAnswers<T>(ask: (signal: AbortSignal) => AsyncIterable<T>): Promise<T[]> {
  using late = silence(nextAnswerMs);
  const all: T[] = [];
  for await (const each of ask(late.signal)) {
    all.push(each);
    late.heard();
  }
  return all;
}

/** Fires when nothing was heard for so long. */
function silence(maxMs: number): Disposable & { readonly signal: AbortSignal; heard(): void } {
  const late = new AbortController();
  const words = `the builder did not answer within ${maxMs / 1_000} s. See whether its machine is overloaded.`;
  const timer = setTimeout(() => late.abort(new BuilderLost(words)), maxMs);
  return {
    signal: late.signal,
    heard: () => void timer.refresh(),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

export async function askCapabilities(solve: BuildKit["solve"]): Promise<Capabilities> {
  let found: Capabilities = { llb: new Set(), frontend: new Set() };
  const run: Frontend = async ({ llbCapabilities, frontendCapabilities }) => {
    found = { llb: llbCapabilities, frontend: frontendCapabilities };
    return {};
  };
  const asked = { source: { run }, services: { sharedKey: "capabilities" } };
  await answered((signal) => solve(asked, { signal, isQuestion: true }));
  return found;
}

/** No list can be asked for, but a build of nothing says at once when there is no such exporter. */
export async function askExporter(solve: BuildKit["solve"], type: string): Promise<boolean> {
  const source = { run: async () => ({}) };
  try {
    const asked = { source, services: { sharedKey: "exporters" }, exporter: { type, attrs: {} } };
    await answered((signal) => solve(asked, { signal, isQuestion: true }));
    return true;
  } catch (error) {
    if (!(error instanceof BuildFailed)) throw error;
    // Those that hand their result to this side find nobody to take it here, and so they are there.
    return /FileSend/i.test(error.message);
  }
}
