import { reasonOfDisk } from "../../../core/reasons.ts";
import { shorten } from "../../../core/shorten.ts";
import { amountOf } from "../view/amounts.ts";
import type { EventView } from "../view/event-view.ts";
import type { PodView } from "../view/pod-view.ts";

/**
 * What the node says that put the pod out; undefined for one that it did not. Of an app that ended well when it was told to
 * the pod has succeeded, and only an event tells.
 */
export const evictionOf = ({ evicted }: PodView, events: readonly EventView[]): string | undefined =>
  evicted ?? events.find(({ reason }) => reason === "Evicted")?.message;

/** The same in a sentence: that it wrote too much, or that others did. */
export function evictionWords(message: string): string {
  const scratch = /EmptyDir volume "[^"]*" exceeds the limit "([^"]+)"/.exec(message)?.[1];
  if (scratch) return reasonOfDisk(amountOf(scratch), "to /tmp");
  const all = /local (?:ephemeral )?storage .*?(?:limit|containers) "?(\d\w*)/.exec(message)?.[1];
  if (all) return reasonOfDisk(amountOf(all), "to its disk (its files, /tmp and its log together)");
  return `killed: its node had to make room and put it out${message ? `: ${shorten(message)}` : ""}`;
}
