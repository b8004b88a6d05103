"use client";
import { searchLogs, type LogEntry } from "@starform/contract/logs";
import { isFault } from "@starform/std/fault";
import { useEffect, useRef, useState } from "react";
import { call, tail } from "../../api/client.ts";
import { useVisible } from "../../api/use-visible.ts";
import type { ServicePlace } from "../../paths.ts";
import { append, newsAfter, prepend, type Line } from "./line-buffer.ts";

export type LogScope = { deployment?: string; filter?: string; level?: string; stream?: string };
type State = "loading" | "live" | "reconnecting" | "ended";
type LogLines = {
  readonly lines: readonly Line[];
  readonly state: State;
  readonly error: unknown;
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
  loadOlder(): void;
};

const backlog = 500;
const pageSize = 500;
const flushMs = 80;

/** The lines of a service: the newest and then each as it is written, or (not live) the newest page; older ones on demand. */
export function useLogLines(place: ServicePlace, scope: LogScope, isLive: boolean): LogLines {
  const scopeKey = JSON.stringify([place, scope]);
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [state, setState] = useState<State>("loading");
  const [error, setError] = useState<unknown>();
  const [older, setOlder] = useState<{ cursor?: string | undefined; hasMore: boolean; isLoading: boolean }>({
    hasMore: true,
    isLoading: false,
  });
  const isVisible = useVisible();
  const current = useRef<{ key: string; lines: readonly Line[] }>({ key: "", lines: [] });
  const params = { project: place.project, service: place.service };
  const query = { environment: place.environment, ...scope };
  const show = (next: readonly Line[]) => setLines((current.current.lines = next));

  useEffect(() => {
    if (current.current.key !== scopeKey) {
      current.current = { key: scopeKey, lines: [] };
      setLines([]);
      setState("loading");
      setOlder({ hasMore: true, isLoading: false });
    }
    if (!isVisible) return;
    const left = new AbortController();
    setError(undefined);
    const take = (entries: readonly LogEntry[]) => show(append(current.current.lines, entries));
    const reading = isLive
      ? followTail({
          params,
          query,
          signal: left.signal,
          known: () => current.current.lines,
          take,
          onState: setState,
        })
      : readOnce().then(() => setState("ended"));
    reading.catch((failure: unknown) => {
      if (left.signal.aborted) return;
      setError(failure);
      setState("ended");
    });
    async function readOnce() {
      if (current.current.lines.length > 0) return;
      const page = await call(
        searchLogs,
        { params, query: { ...query, limit: 1_000 } },
        { signal: left.signal },
      );
      take(page.items);
      setOlder({ cursor: page.nextCursor, hasMore: page.nextCursor !== undefined, isLoading: false });
    }
    return () => left.abort();
    // The key holds all of place and scope.
  }, [scopeKey, isLive, isVisible]);

  const loadOlder = async () => {
    const first = current.current.lines[0];
    if (older.isLoading || !older.hasMore || !first) return;
    setOlder({ ...older, isLoading: true });
    const from = older.cursor ? { cursor: older.cursor } : { until: first.ts };
    try {
      const page = await call(searchLogs, { params, query: { ...query, ...from, limit: pageSize } });
      if (current.current.key !== scopeKey) return;
      show(prepend(current.current.lines, page.items));
      setOlder({ cursor: page.nextCursor, hasMore: page.nextCursor !== undefined, isLoading: false });
    } catch (failure) {
      setError(failure);
      setOlder({ ...older, isLoading: false });
    }
  };
  return {
    lines,
    state,
    error,
    hasOlder: older.hasMore && lines.length >= (older.cursor === undefined && isLive ? backlog : 1),
    isLoadingOlder: older.isLoading,
    loadOlder: () => void loadOlder(),
  };
}

type Following = {
  params: { project: string; service: string };
  query: { environment: string } & LogScope;
  signal: AbortSignal;
  known(): readonly Line[];
  take(entries: readonly LogEntry[]): void;
  onState(state: State): void;
};

/** Reads the tail and begins again where it stopped when the connection breaks; ends by the signal or a refusal. */
async function followTail({ params, query, signal, known, take, onState }: Following): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    const since = known().at(-1)?.ts;
    const waiting: LogEntry[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      if (signal.aborted) return;
      take(waiting.splice(0));
      onState("live");
    };
    try {
      const input = { params, query: { ...query, limit: backlog, ...(since ? { since } : {}) } };
      // An empty service says nothing: it is live all the same.
      timer = setTimeout(flush, 600);
      const isNews = newsAfter(known());
      for await (const entry of tail(input, { signal })) {
        failures = 0;
        if (!isNews(entry)) continue;
        waiting.push(entry);
        timer ??= setTimeout(flush, flushMs);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isFault(error, "unavailable")) throw error;
    } finally {
      clearTimeout(timer);
    }
    if (signal.aborted) return;
    if (waiting.length > 0) take(waiting);
    onState("reconnecting");
    await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** failures, 5_000)));
  }
}
