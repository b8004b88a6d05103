import type { Stored } from "../model/object.ts";
import type { StoreEvent } from "./store.ts";

/** The last events, as far back as they are kept: what a watch can begin at and an exact list can be made of. */
export type History = {
  add(event: StoreEvent): void;
  /** Every revision up to this one can no longer be asked for. */
  compact(revision: number): void;
  /** Forgets everything: the store is now at this revision by another way than the events told. */
  reset(revision: number): void;
  /** The highest revision that is gone; a state at exactly this revision can still be told. */
  compactedAt(): number;
  /** Events after the revision, of one resource. */
  since(resource: string, revision: number): readonly StoreEvent[];
  /** What the resource held at a past revision: today's objects with later events taken back. */
  rewind(resource: string, today: readonly Stored[], revision: number): readonly Stored[];
};

export function openHistory(eventsKept: number): History {
  let events: StoreEvent[] = [];
  let compacted = 0;

  /** The first event after the revision; events are in order. */
  const indexAfter = (revision: number): number => {
    let [low, high] = [0, events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((events[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const since = (resource: string, revision: number): readonly StoreEvent[] =>
    events.slice(indexAfter(revision)).filter((event) => event.resource === resource);
  const compact = (revision: number): void => {
    events = events.slice(indexAfter(revision));
    compacted = revision;
  };

  return {
    add: (event) => {
      events.push(event);
      // Twice the number is let in before the older half goes, so that a write costs the same on average.
      if (events.length > eventsKept * 2) compact(events[events.length - eventsKept - 1]?.revision ?? 0);
    },
    compact,
    reset: (revision) => {
      events = [];
      compacted = revision;
    },
    compactedAt: () => compacted,
    since,
    rewind: (resource, today, revision) => {
      const later = since(resource, revision);
      if (later.length === 0) return today;
      const objects = new Map(today.map((object) => [keyIn(object), object]));
      for (const { key, previous } of later.toReversed()) {
        if (previous) objects.set(key, previous);
        else objects.delete(key);
      }
      return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
    },
  };
}

const keyIn = ({ metadata }: Stored): string =>
  metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
