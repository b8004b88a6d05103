import { DesiredState } from "@starform/contract/clusters";
import { wordsOf } from "@starform/std/fault";
import { inTurns } from "@starform/std/in-turn";
import type { Verifier } from "@starform/std/signature";
import { changedKeys, judgeDocument, keepingEqual, type Verdict } from "../core/desired-document.ts";
import { overlaid, type Overlaid, type Override } from "../core/overrides.ts";
import type { DesiredStore, OverrideStore, SentDocument } from "../core/ports.ts";
import type { ServiceKey } from "../core/service-key.ts";
import { readSigned } from "../core/signed-document.ts";
import { heldBack } from "./held-back.ts";
import type { Warn } from "../core/warn.ts";

export type DesiredView = {
  /**
   * What is to run: what Starbase decided, with overrides in its place; undefined while nothing is known, or while it
   * could not be read what is held back.
   */
  readonly state: DesiredState | undefined;
  /** Of the document in force, to ask for a newer one. */
  readonly etag: string | undefined;
  /** What holds the service back at an earlier version, or did so last and may not have been told to be over. */
  override(key: ServiceKey): Override | undefined;
  /** Starbase has taken a report with it: one that is over is kept no longer. */
  told(override: Override): Promise<void>;
  /** Whether something holds the service back that cannot be read: then what runs of it stays as it is. */
  isLeftAlone(key: ServiceKey): boolean;
  /** Whether the document was taken and says something that was not known. A refused one leaves the last good one. */
  take(sent: SentDocument): Promise<boolean>;
  /** Reads again what could not be read, and stores what could not be stored; for every pass. */
  reread(): Promise<void>;
  /** Looks at the overrides again: somebody changed them. */
  overridesChanged(): Promise<void>;
};
type Deps = {
  readonly store: DesiredStore;
  readonly overrides: OverrideStore;
  readonly clusterId: string;
  readonly isSigned: Verifier | undefined;
  /** Whether anything runs, or may run, that this cluster's Shuttle made: asked when no document says so. */
  readonly runsHere: () => Promise<boolean>;
  /** Keys whose service changed, came or went; told after the document is stored. */
  readonly changed: (keys: readonly string[]) => void;
  readonly warn: Warn;
};

/**
 * Opens on the last good document that is kept and still verifies. What is kept is read before anything that Starbase
 * sends is believed: only then is it known what would be older.
 */
export async function openDesiredView(deps: Deps): Promise<DesiredView> {
  const heldNow = heldBack(deps.overrides, deps.warn);
  const inTurn = inTurns();
  let hasRecalled = false;
  let decided: DesiredState | undefined;
  let etag: string | undefined;
  let view: Overlaid | undefined;
  /** In force, and not stored yet. */
  let unstored: SentDocument | undefined;

  /** Whether what is kept has been read. */
  const recall = async (): Promise<boolean> => {
    if (hasRecalled) return true;
    try {
      const kept = await lastGood(deps);
      [decided, etag, hasRecalled] = [kept?.state, kept?.etag, true];
    } catch (error) {
      deps.warn(`the stored desired state could not be read, and is read again: ${wordsOf(error)}`);
    }
    return hasRecalled;
  };
  const prune = () =>
    deps.store.prune().catch((error: unknown) => {
      deps.warn(
        `older versions of the desired state are kept for longer than they need be: ${wordsOf(error)}`,
      );
    });
  /** A store that is full or away must not keep the apps from what was decided; only a restart meanwhile would know less. */
  const store = async (sent: SentDocument): Promise<void> => {
    unstored = undefined;
    await deps.store.save(sent).catch((error: unknown) => {
      unstored = sent;
      deps.warn(
        `version ${decided?.version} of the desired state is applied but could not be stored, and is stored later: ${wordsOf(error)}`,
      );
    });
  };
  /** One that Starbase ended holds nothing again, whatever it decides. */
  const asItEnded = (override: Override): Override => {
    const ended = view?.over.get(override.key) ?? view?.letGo.get(override.key);
    return ended?.at === override.at ? ended : override;
  };
  const forget = async (override: Override): Promise<void> => {
    await deps.overrides.remove(override).catch((error: unknown) => deps.warn(wordsOf(error), override.key));
    heldNow.changed();
  };
  /** Puts the overrides over what is decided and tells which keys that changes. */
  const refresh = async (): Promise<string[]> => {
    const [before, wereLeft] = [view?.state, view?.unreadable ?? new Set<ServiceKey>()];
    const overrides = decided && (await heldNow.look());
    if (!decided || !overrides) return [];
    const laid = overlaid(decided, { ...overrides, overrides: overrides.overrides.map(asItEnded) });
    for (const [key, { from_version }] of laid.over)
      if (view?.held.has(key))
        deps.warn(`${key} is no longer held at version ${from_version}: Starbase decided anew`, key);
    view = { ...laid, state: keepingEqual(laid.state, before) };
    for (const override of view.gone) await forget(override);
    const { unreadable } = view;
    return [...new Set([...changedKeys(before, view.state), ...wereLeft.symmetricDifference(unreadable)])];
  };
  /** Only a first document that is empty needs a look at the cluster. */
  const judge = async (document: unknown): Promise<Verdict> => {
    const verdict = judgeDocument(document, decided, deps.clusterId);
    return verdict.kind === "taken" && !decided && verdict.state.services.length === 0
      ? judgeDocument(document, undefined, deps.clusterId, await deps.runsHere())
      : verdict;
  };
  const take = async (sent: SentDocument): Promise<boolean> => {
    if (!(await recall())) {
      deps.warn("the desired state is not believed before what is stored of it was read: it may be older");
      return false;
    }
    const read = readSigned(sent, deps.isSigned);
    const verdict = read.kind === "refused" ? read : await judge(read.document);
    if (verdict.kind !== "taken") {
      deps.warn(`the desired state was refused, and the last good one stays: ${verdict.reason}`);
      return false;
    }
    const isNewer = verdict.state.version !== decided?.version;
    [decided, etag] = [keepingEqual(verdict.state, decided), sent.etag];
    await store(sent);
    const keys = await refresh();
    deps.changed(keys);
    await prune();
    return keys.length > 0 || isNewer;
  };
  const reread = async (): Promise<void> => {
    await recall();
    if (unstored) await store(unstored);
    const keys = await refresh();
    if (keys.length > 0) deps.changed(keys);
  };
  const told = async (override: Override): Promise<void> => {
    if (view?.over.get(override.key) !== override) return;
    await forget(override);
    await refresh();
  };
  await recall();
  await refresh();
  return {
    get state() {
      return view?.state;
    },
    get etag() {
      return etag;
    },
    override: (key) => view?.held.get(key) ?? view?.letGo.get(key) ?? view?.over.get(key),
    told: (override) => inTurn(() => told(override)),
    isLeftAlone: (key) => view?.unreadable.has(key) ?? false,
    take: (sent) => inTurn(() => take(sent)),
    reread: () => inTurn(reread),
    overridesChanged() {
      heldNow.changed();
      return inTurn(reread);
    },
  };
}

/** Rejects when the store cannot be read: that is not to know, and no news. */
async function lastGood(deps: Deps): Promise<{ state: DesiredState; etag: string | undefined } | undefined> {
  for (const sent of await deps.store.load()) {
    const state = goodState(sent, deps);
    if (typeof state !== "string") return { state, etag: sent.etag };
    deps.warn(`a stored desired state is passed over: ${state}`);
  }
  return undefined;
}

/** The state of a kept document, or why it is not to be believed. */
export function goodState(
  sent: SentDocument,
  { isSigned, clusterId }: Pick<Deps, "isSigned" | "clusterId">,
): DesiredState | string {
  const read = readSigned(sent, isSigned);
  if (read.kind === "refused") return read.reason;
  const verdict = judgeDocument(read.document, undefined, clusterId);
  return verdict.kind === "taken" ? verdict.state : verdict.reason;
}
