import { readFileSync } from "node:fs";

type Json = Readonly<Record<string, unknown>>;

export type Exchange = {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  /** Not sent as the administrator. */
  readonly isOther?: true;
  readonly request?: unknown;
  readonly status: number;
  readonly warning?: string;
  readonly response?: unknown;
  readonly responses?: readonly Json[];
};

export const recorded = <T>(name: string): readonly T[] =>
  JSON.parse(readFileSync(new URL(`recorded/${name}.json`, import.meta.url), "utf8")) as T[];

/** What a recorded answer and ours have that depends on the day: uids, versions, tokens for the next page. */
const idsIn = (answer: unknown): readonly string[] => {
  const {
    uid,
    resourceVersion,
    continue: next,
  } = ((answer as Json | undefined)?.["metadata"] ?? {}) as Record<string, string>;
  return [uid ?? "", resourceVersion ?? "", next ?? ""];
};

/** Puts our own ids where the recording has its. */
export type Translation = { learn(theirs: unknown, ours: unknown): void; ours(text: string): string };

export function openTranslation(): Translation {
  const ids = new Map<string, string>();
  return {
    learn: (theirs, ours) => {
      const own = idsIn(ours);
      idsIn(theirs).forEach((id, index) => id && own[index] && ids.set(id, own[index] ?? ""));
    },
    // A version is a number like any other: only where it stands as a text or a parameter is it one.
    ours: (text) =>
      [...ids].reduce(
        (all, [theirs, own]) => all.replaceAll(new RegExp(`(?<=["=(])${theirs}(?=["&)]|$)`, "g"), own),
        text,
      ),
  };
}

const volatile = [
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "managedFields",
  "ownerReferences",
];

/** What must be equal of an object: everything but what the day decides, and what controllers write into it. */
export function lasting(object: unknown): unknown {
  if (typeof object !== "object" || object === null) return object;
  const { metadata, status, ...rest } = object as Json & { metadata?: Json };
  const kept = Object.fromEntries(
    Object.entries(metadata ?? {}).filter(([field]) => !volatile.includes(field)),
  );
  return { ...rest, metadata: kept, ...(isVerdict(object as Json) && { status }) };
}

const isVerdict = (object: Json): boolean =>
  object["kind"] === "Status" || object["kind"] === "SubjectAccessReview" || object["kind"] === "Scale";

/** Numbers of versions in a sentence are another's every time. */
export const withoutVersions = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replaceAll(/version: \d+ \(\d+\)/g, "version: N (M)"));
