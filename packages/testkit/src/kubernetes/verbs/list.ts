import type { Cluster } from "../cluster.ts";
import type { Kind } from "../kinds/kind.ts";
import { ApiError, badRequest } from "../model/api-error.ts";
import type { JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { fieldMatcher, labelMatcher, type Matcher } from "../model/selectors.ts";
import { expiredToken, readContinue, writeContinue } from "./continue-token.ts";

export type Selection = {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name?: string | undefined;
  readonly query: URLSearchParams;
};

export type List = { readonly metadata: JsonObject; readonly items: readonly Stored[] };

export function matcherOf({ kind, query, name }: Selection): Matcher {
  const byLabel = labelMatcher(query.get("labelSelector"));
  const byField = fieldMatcher(query.get("fieldSelector"), kind);
  return (object) => (name ? object.metadata.name === name : true) && byLabel(object) && byField(object);
}

export const tooLarge = (wanted: number, current: number): ApiError =>
  new ApiError(504, {
    reason: "Timeout",
    message: `Too large resource version: ${wanted}, current: ${current}`,
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
  });

/** As of which revision a list is made: now, or exactly then. */
function revisionOf(query: URLSearchParams, { store }: Cluster): number {
  const [wanted, match] = [query.get("resourceVersion") ?? "", query.get("resourceVersionMatch")];
  if (wanted === "" || wanted === "0") return store.revision();
  const revision = Number(wanted);
  if (revision > store.revision()) throw tooLarge(revision, store.revision());
  const isExact = match === "Exact" || (match === null && query.has("limit"));
  if (!isExact) return store.revision();
  if (revision < store.history.compactedAt())
    throw new ApiError(410, {
      reason: "Expired",
      message: "The resourceVersion for the provided list is too old.",
    });
  return revision;
}

const keyIn = ({ metadata }: Stored, namespace: string | undefined): string =>
  namespace === undefined && metadata.namespace !== undefined
    ? `${metadata.namespace}/${metadata.name}`
    : metadata.name;

/** A list, or one page of it: all pages show the state at the revision of the first. */
export function list(selection: Selection, cluster: Cluster): List {
  const { kind, namespace, query } = selection;
  const { store } = cluster;
  const matches = matcherOf(selection);
  const page = pageOf(query, cluster);
  const all = store.history.rewind(kind.resource, store.list(kind.resource), page.revision);
  const here = namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  const later = here.filter((object) => keyIn(object, namespace) > page.after);
  const found = later.filter(matches);
  const items = found.slice(0, page.limit);
  const last = items.at(-1);
  const isMore = found.length > items.length && last !== undefined;
  const isSelected = query.get("labelSelector") || query.get("fieldSelector");
  return {
    metadata: {
      resourceVersion: String(page.revision),
      ...(isMore && {
        continue: writeContinue({ revision: page.revision, after: `/${keyIn(last, namespace)}` }),
        ...(!isSelected && { remainingItemCount: found.length - items.length }),
      }),
    },
    items,
  };
}

type Page = { readonly revision: number; readonly after: string; readonly limit: number };

function pageOf(query: URLSearchParams, cluster: Cluster): Page {
  const asked = Number(query.get("limit") ?? 0);
  const limit = asked > 0 ? asked : Number.POSITIVE_INFINITY;
  const token = query.get("continue");
  // A list that may be as old as it likes comes from memory, and is never paged there.
  if (!token)
    return {
      revision: revisionOf(query, cluster),
      after: "",
      limit: query.get("resourceVersion") === "0" ? Number.POSITIVE_INFINITY : limit,
    };
  if ((query.get("resourceVersion") ?? "0") !== "0" && query.get("resourceVersion") !== "")
    throw badRequest("specifying resource version is not allowed when using continue");
  const { revision, after } = readContinue(token);
  if (revision >= 0 && revision < cluster.store.history.compactedAt())
    throw expiredToken(after.replace(/^\//, ""));
  return {
    revision: revision < 0 ? cluster.store.revision() : revision,
    after: after.replace(/^\//, ""),
    limit,
  };
}
