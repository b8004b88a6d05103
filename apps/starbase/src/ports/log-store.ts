import type { LogLevel, LogStream } from "@starform/contract/logs";
import type { z } from "zod";

type Level = z.infer<typeof LogLevel>;
type Stream = z.infer<typeof LogStream>;

/** Whose lines may be read: made from the caller's grants, never from what a request asks for. */
export type LogScope = {
  readonly workspaceId: string;
  readonly projectId: string;
  readonly environment: string;
  /** No service means no line. */
  readonly serviceIds: readonly string[];
  /** Older lines are past the time of the workspace's plan, whether they are deleted yet or not. */
  readonly keptSince: Date;
};

/** What a reader asks for inside the scope; it can only narrow it. */
export type LogFilter = {
  /** Lines that contain this text, whatever its case. */
  readonly text?: string;
  readonly levels?: readonly Level[];
  readonly streams?: readonly Stream[];
  /** Inclusive. */
  readonly since?: Date;
  /** Exclusive. */
  readonly until?: Date;
  readonly deploymentId?: string;
  readonly buildId?: string;
};

export type LogEntry = {
  readonly ts: Date;
  readonly serviceId: string;
  readonly level: Level;
  readonly stream: Stream;
  readonly message: string;
  /** Grows with each line of one instance or build. */
  readonly seq: number;
  readonly instanceId?: string;
  readonly deploymentId?: string;
  readonly buildId?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
};

export type LogLine = Omit<LogEntry, "ts"> & {
  readonly tsMs: number;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly environment: string;
};

/** The customers' logs. Every method rejects with Fault `unavailable` while the store cannot be reached. */
export interface LogStore {
  /** Creates or upgrades the tables; safe to run at once from several processes. Refuses a newer schema. */
  ensureSchema(): Promise<void>;
  /** The newest `limit` lines, oldest first. */
  last(scope: LogScope, filter: LogFilter, limit: number): Promise<LogEntry[]>;
  /**
   * A page of lines, oldest first within the page. Without a cursor it ends at the newest line; `nextCursor` leads
   * further back and is missing on the last page. A page is longer than `limit` only to keep lines of one time and number together. Rejects with Fault `malformed` for a cursor it did not give out.
   */
  search(
    scope: LogScope,
    filter: LogFilter,
    page: { limit: number; cursor?: string },
  ): Promise<{ entries: LogEntry[]; nextCursor?: string }>;
  /**
   * The last `backlog` lines, then every line that arrives later, each once and usually within 200 ms, in batches in
   * the order of their times. Ends when the signal fires; outlives a restart of the store of up to a minute.
   */
  tail(
    scope: LogScope,
    filter: LogFilter & { backlog?: number },
    signal: AbortSignal,
  ): AsyncIterable<LogEntry[]>;
  /** Resolves when the lines are stored. For tests and the few lines Starbase itself writes. */
  append(lines: readonly LogLine[]): Promise<void>;
  /** Resolves when no read finds a line of these workspaces from before that moment any more. */
  deleteBefore(workspaceIds: readonly string[], before: Date): Promise<void>;
  /** Resolves when no read finds a line of the project any more. */
  deleteProject(workspaceId: string, projectId: string): Promise<void>;
}
