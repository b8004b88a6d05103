"use client";
import { getProjectStatus } from "@starform/contract/logs";
import { isFault } from "@starform/std/fault";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { call } from "./client.ts";
import { isAbout } from "./queries.ts";
import { useVisible } from "./use-visible.ts";

const waitSeconds = 25;

/** Keeps all that is shown of a project up to date while the tab is seen; tells whether it is connected. */
export function useProjectChanges(project: string): { isConnected: boolean } {
  const queries = useQueryClient();
  const isVisible = useVisible();
  const [isConnected, setConnected] = useState(true);
  useEffect(() => {
    if (!isVisible) return;
    const left = new AbortController();
    const onChange = () => void queries.invalidateQueries({ predicate: isAbout(project) });
    void follow({ project, signal: left.signal, onChange, onConnected: setConnected });
    return () => left.abort();
  }, [project, isVisible, queries]);
  return { isConnected };
}

type Following = {
  project: string;
  signal: AbortSignal;
  onChange(): void;
  onConnected(is: boolean): void;
};

async function follow({ project, signal, onChange, onConnected }: Following): Promise<void> {
  let seen: number | undefined;
  for (let failures = 0; !signal.aborted;) {
    try {
      const query = seen === undefined ? {} : { seen, wait: waitSeconds };
      const { revision } = await call(
        getProjectStatus,
        { params: { project }, query },
        { signal, timeoutMs: (waitSeconds + 15) * 1_000 },
      );
      if (signal.aborted) return;
      // What was asked for before the first number may be older than it.
      if (failures > 0 || revision !== seen) onChange();
      [seen, failures] = [revision, 0];
      onConnected(true);
    } catch (error) {
      if (signal.aborted || isFault(error, "not_found") || isFault(error, "unauthenticated")) return;
      if (++failures > 1) onConnected(false);
      await pause(Math.min(500 * 2 ** failures, 8_000), signal);
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
