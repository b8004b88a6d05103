import type { RunningPod } from "./cluster.ts";
import { tickOf } from "./snapshots.ts";

/** What is made up for at most, in ticks: what no Shuttle has seen for longer is not billed. */
export const madeUpMax = 60;
/** The same where nothing tells which tick was the last: those that were counted are known by their ids. */
const madeUpBlind = 10;

/** What ran at one tick and is not written down yet. */
export type DueTick = { readonly tick: Date; readonly pods: readonly RunningPod[] };

/**
 * Which pods are to be written down for which ticks: every pod that runs, for every tick since it began that is not
 * written down. So a pod that came after a tick is not billed for it, however late the look is; and what a restart, a
 * leader that changed, a frozen watch or a slow machine left out is made up for, as long as the pod is still there.
 */
export function tickBook(intervalMs: number, writtenThrough: Date | undefined) {
  /** Of each pod, the last tick that it is written down for. */
  const written = new Map<string, number>();
  // What the cluster had not told yet when the last tick was written is missing there: it is taken once more, and of what was
  // written the ids are the same.
  let floorMs = writtenThrough && writtenThrough.getTime() - intervalMs;

  return {
    /** The oldest first. A clock that was set back takes its present tick once more: the ids are the same. */
    due(pods: readonly RunningPod[], nowMs: number): readonly DueTick[] {
      const latest = tickOf(nowMs, intervalMs).getTime();
      const earliest = latest - (madeUpMax - 1) * intervalMs;
      floorMs ??= latest - madeUpBlind * intervalMs;
      const ticks = new Map<number, RunningPod[]>();
      const podsAt = (at: number): RunningPod[] => {
        const running = ticks.get(at) ?? [];
        ticks.set(at, running);
        return running;
      };
      for (const pod of pods) {
        const last = written.get(keyOf(pod)) ?? floorMs;
        const after = last > latest ? latest - intervalMs : last;
        const began = Math.ceil((pod.startedAtMs ?? latest) / intervalMs) * intervalMs;
        for (let at = Math.max(after + intervalMs, began, earliest); at <= latest; at += intervalMs)
          podsAt(at).push(pod);
      }
      for (const [key, at] of written) if (at < earliest) written.delete(key);
      return [...ticks]
        .toSorted(([a], [b]) => a - b)
        .map(([at, running]) => ({ tick: new Date(at), pods: running }));
    },
    /** It is kept now, and never due again. */
    wrote({ tick, pods }: DueTick): void {
      for (const pod of pods) written.set(keyOf(pod), tick.getTime());
    },
  };
}

const keyOf = ({ projectId, serviceId, podId }: RunningPod): string => `${projectId}/${serviceId}/${podId}`;
