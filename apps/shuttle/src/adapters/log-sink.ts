import type { LogLine } from "@starform/log-shipper/log-shipper";

/** Takes lines for the log store; `flush` resolves when those so far cannot be lost any more. */
export type LogSink = { ship(line: LogLine): void; flush(): Promise<void> };
export const noLogs: LogSink = { ship: () => undefined, flush: async () => undefined };
