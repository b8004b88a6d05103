import { readFile } from "node:fs/promises";
import { wordsOf } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import type { SampleTable } from "./sample-table.ts";

/** A process that shows its metrics at the address, to the bearer of the token in the file. */
export type ScrapeTarget = { readonly url: string; readonly tokenFile: string };

const [everyMs, withinMs] = [10_000, 5_000];

/** Fetches what every target tells, every ten seconds, until disposal. One that is away leaves a gap, which is told once. */
export function scrape(
  targets: readonly ScrapeTarget[],
  table: SampleTable,
  warn: (sentence: string) => void,
): AsyncDisposable {
  const ending = new AbortController();
  const away = new Set<string>();

  const fetchOne = async ({ url, tokenFile }: ScrapeTarget): Promise<string> => {
    try {
      const token = (await readFile(tokenFile, "utf8")).trim();
      const answer = await fetch(url, {
        headers: { authorization: `Bearer ${token}`, connection: "close" },
        signal: AbortSignal.any([ending.signal, AbortSignal.timeout(withinMs)]),
      });
      if (!answer.ok) throw new Error(`it answered ${answer.status}`);
      const text = await answer.text();
      away.delete(url);
      return text;
    } catch (error) {
      if (!ending.signal.aborted && !away.has(url)) warn(`no metrics from ${url}: ${wordsOf(error)}`);
      away.add(url);
      return "";
    }
  };
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const beganMs = performance.now();
      const texts = await Promise.all(targets.map(fetchOne));
      await table
        .take(texts.join("\n"), Date.now())
        .catch((error: unknown) => warn(`metrics could not be stored: ${wordsOf(error)}`));
      await pause(Math.max(0, everyMs - (performance.now() - beganMs)), ending.signal);
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
