import type { KindRef, KubeObject, Selection } from "./kube-api.ts";
import { isKubeError } from "./kube-error.ts";
import type { KubeAnswer, KubeRequest } from "./transport.ts";

type Page = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly KubeObject[];
};
type Listing<T> = { readonly items: readonly T[]; readonly resourceVersion: string };

const partialList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/** A list that grows too old between two pages is begun anew: going on would leave a gap before the watch. */
const beginningsMax = 4;

/** All pages of a list, of one and the same resourceVersion. `trim` is done page by page, so that memory holds one page at most. */
export async function listPages<T>(
  ask: (what: Pick<KubeRequest, "query" | "accept">) => Promise<KubeAnswer>,
  { apiVersion, kind }: KindRef,
  {
    labelSelector,
    fieldSelector,
    metadataOnly,
    pageSize = 500,
    trim = (object) => object as T,
  }: Selection & {
    readonly metadataOnly?: boolean;
    readonly pageSize?: number;
    readonly trim?: (object: KubeObject) => T;
  },
): Promise<Listing<T>> {
  const page = async (next: string | undefined): Promise<Page> => {
    const query: Record<string, string | undefined> = {
      limit: String(pageSize),
      continue: next,
      labelSelector,
      fieldSelector,
    };
    const { text } = await ask({ query, ...(metadataOnly ? { accept: partialList } : {}) });
    return JSON.parse(text) as Page;
  };
  for (let beginning = 1; ; beginning += 1) {
    const items: T[] = [];
    try {
      for (let next: string | undefined; ;) {
        const { metadata, items: some } = await page(next);
        // Items of a list do not say what they are.
        for (const item of some ?? []) items.push(trim({ ...item, apiVersion, kind }));
        next = metadata.continue || undefined;
        if (next === undefined) return { items, resourceVersion: metadata.resourceVersion };
      }
    } catch (error) {
      if (!isKubeError(error, 410) || beginning === beginningsMax) throw error;
    }
  }
}
