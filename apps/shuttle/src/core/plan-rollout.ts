export type InstanceView = {
  readonly id: string;
  readonly slot: number;
  readonly checksum: string;
  /** `ready` counts only once the instance also gets traffic. */
  readonly state: "starting" | "ready";
};

export type RolloutInput = {
  /** What should run; undefined keeps what serves and starts nothing. */
  readonly target: { readonly checksum: string; readonly replicas: number } | undefined;
  readonly instances: readonly InstanceView[];
  /** Before this time the slot waits out its crash. */
  readonly notBeforeMs: (slot: number) => number;
  readonly nowMs: number;
};

export type RolloutPlan = {
  readonly start: readonly number[];
  readonly retire: readonly string[];
  /** When a slot that waits may start. */
  readonly againInMs: number | undefined;
};

/**
 * The next step from what runs to what should run, new before old: an instance that serves goes only when enough
 * others serve, and at most a quarter more than wanted run at once.
 */
export function planRollout({ target, instances, notBeforeMs, nowMs }: RolloutInput): RolloutPlan {
  if (!target) return { start: [], retire: [], againInMs: undefined };
  const wanted = target.replicas;
  const matching = instances.filter((i) => i.checksum === target.checksum).sort(byUse);
  const others = instances.filter((i) => i.checksum !== target.checksum);
  const kept = matching.slice(0, wanted);
  const surplus = matching.slice(wanted);
  const readyKept = kept.filter(isReady).length;
  const readyOthers = others.filter(isReady);

  const mayGo = Math.max(0, readyKept + readyOthers.length + surplus.filter(isReady).length - wanted);
  const retire = [
    ...others.filter((i) => !isReady(i)),
    ...surplus.filter((i) => !isReady(i)),
    ...[...readyOthers, ...surplus.filter(isReady)].slice(0, mayGo),
  ].map((i) => i.id);

  const taken = new Set(kept.map((i) => i.slot));
  const free = Array.from({ length: wanted }, (_, slot) => slot).filter((slot) => !taken.has(slot));
  const room = wanted + Math.max(1, Math.ceil(wanted / 4)) - (kept.length + readyOthers.length);
  const [now, later] = [
    free.filter((slot) => notBeforeMs(slot) <= nowMs),
    free.filter((slot) => notBeforeMs(slot) > nowMs),
  ];
  return {
    start: now.slice(0, Math.max(0, room)),
    retire,
    againInMs: later.length > 0 ? Math.max(1, Math.min(...later.map(notBeforeMs)) - nowMs) : undefined,
  };
}

const isReady = (instance: InstanceView): boolean => instance.state === "ready";
/** Ready ones first, then the lowest slot: scaling down lets go of the highest. */
const byUse = (a: InstanceView, b: InstanceView): number =>
  Number(isReady(b)) - Number(isReady(a)) || a.slot - b.slot;
