import { createHash } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { CronRunReport } from "@starform/contract/clusters";
import type { ServiceKey } from "../../core/service-key.ts";
import { readJson, removeFile, writeJson } from "../disk/json-file.ts";

type Page = {
  readonly key: ServiceKey;
  seenUntil: string | null;
  runs: { report: CronRunReport; isTaken: boolean }[];
};

export interface CronBook {
  readonly key: ServiceKey;
  /** Runs up to this time are dealt with; a service seen for the first time begins now. */
  seenUntil(now: Date): Date;
  setSeenUntil(at: Date): void;
  /** Writes a run down, or what became of it. */
  record(run: CronRunReport): void;
  find(runId: string): CronRunReport | undefined;
  unfinished(): CronRunReport[];
  /** Of the runs that go on, or that Starbase does not have as they are. */
  ids(): string[];
}

/** A clock that was far ahead and was put right must not keep runs back for as long. */
const aheadMs = 120_000;

/** The cron runs of a cluster, on disk until Starbase has them. */
export function cronBooks(dir: string, changed: (key: ServiceKey) => void) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const pathOf = (key: ServiceKey) =>
    join(dir, `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`);
  const pages = new Map<ServiceKey, Page>(
    readdirSync(dir)
      .filter((name) => name.endsWith(".json"))
      .flatMap((name) => (readJson(join(dir, name)) as Page | undefined) ?? [])
      .map((page) => [page.key, page]),
  );
  const save = (page: Page): void => writeJson(pathOf(page.key), page);
  return {
    open(key: ServiceKey): CronBook {
      const page = pages.get(key) ?? { key, seenUntil: null, runs: [] };
      pages.set(key, page);
      return {
        key,
        seenUntil(now) {
          const seen = page.seenUntil === null ? now : new Date(page.seenUntil);
          const sound = seen.getTime() > now.getTime() + aheadMs ? now : seen;
          if (page.seenUntil !== sound.toISOString()) this.setSeenUntil(sound);
          return sound;
        },
        setSeenUntil(at) {
          page.seenUntil = at.toISOString();
          save(page);
        },
        record(report) {
          page.runs = [
            ...page.runs.filter((run) => run.report.run_id !== report.run_id),
            { report, isTaken: false },
          ];
          save(page);
          changed(key);
        },
        unfinished: () => page.runs.map((run) => run.report).filter((report) => report.outcome === "running"),
        ids: () => page.runs.map((run) => run.report.run_id),
        find: (runId) => page.runs.find((run) => run.report.run_id === runId)?.report,
      };
    },
    pending: (): CronRunReport[] =>
      [...pages.values()].flatMap((page) => page.runs.filter((run) => !run.isTaken).map((run) => run.report)),
    taken(reports: readonly CronRunReport[]): void {
      const sent = new Map(reports.map((report) => [report.run_id, report.outcome]));
      for (const page of pages.values()) {
        if (!page.runs.some((run) => sent.has(run.report.run_id))) continue;
        for (const run of page.runs)
          if (sent.get(run.report.run_id) === run.report.outcome) run.isTaken = true;
        page.runs = page.runs.filter((run) => !run.isTaken || run.report.outcome === "running");
        save(page);
      }
    },
    /** The service is gone: its page goes with the last run that Starbase has taken. */
    close(key: ServiceKey): void {
      const page = pages.get(key);
      if (page && page.runs.length > 0) return;
      pages.delete(key);
      removeFile(pathOf(key));
    },
  };
}
export type CronBooks = ReturnType<typeof cronBooks>;
