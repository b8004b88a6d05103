import { wordsOf } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import type { Logger } from "pino";
import { clickhouseLogStore } from "../adapters/clickhouse/log-store.ts";
import type { Config } from "../config.ts";
import type { LogStore } from "../ports/log-store.ts";

/** The log store; its tables are made as soon as it can be reached, and nothing waits for that. */
export function openLogs(config: Config, logger: Logger, stack: AsyncDisposableStack): LogStore {
  const logs = stack.use(clickhouseLogStore(config.clickhouse));
  const closing = new AbortController();
  stack.defer(() => closing.abort());
  void makeSchema(logs, logger, closing.signal);
  return logs;
}

async function makeSchema(logs: LogStore, logger: Logger, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await logs.ensureSchema();
    } catch (error) {
      if (attempt % 10 === 1) logger.warn({ reason: wordsOf(error) }, "the log store is not ready yet");
    }
    await pause(backoffMs({ firstMs: 100, maxMs: 5_000 }, attempt), signal);
  }
}
