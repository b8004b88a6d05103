import type { KindRef, ObjectRef, Selection } from "./kube-api.ts";
import { isKubeError, KubeError } from "./kube-error.ts";
import type { Transport } from "./transport.ts";

type Resource = { readonly name: string; readonly kind: string; readonly namespaced: boolean };

/** Where kinds are served, as the server itself says. Kept, and read again for a kind that is not known. */
export function discovery(transport: Transport) {
  const known = new Map<string, Promise<ReadonlyMap<string, Resource>>>();

  const rootOf = (apiVersion: string) =>
    apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  /** Shared by all who wait for it: no single caller's signal may end it. */
  async function read(apiVersion: string): Promise<ReadonlyMap<string, Resource>> {
    try {
      const { text } = await transport.call({ method: "GET", path: rootOf(apiVersion) });
      const { resources = [] } = JSON.parse(text) as { resources?: Resource[] };
      return new Map(resources.filter(({ name }) => !name.includes("/")).map((each) => [each.kind, each]));
    } catch (error) {
      if (isKubeError(error, 404)) return new Map();
      known.delete(apiVersion);
      throw error;
    }
  }
  async function find({ apiVersion, kind }: KindRef, signal?: AbortSignal): Promise<Resource | undefined> {
    const before = known.get(apiVersion);
    const resource = (await before)?.get(kind);
    if (resource) return resource;
    signal?.throwIfAborted();
    // Another call may have read it again in the meantime: then that reading counts.
    const reading = known.get(apiVersion);
    const now = reading && reading !== before ? reading : read(apiVersion);
    known.set(apiVersion, now);
    return (await now).get(kind);
  }
  async function resourceOf(kind: KindRef, signal?: AbortSignal): Promise<Resource> {
    const resource = await find(kind, signal);
    if (resource) return resource;
    throw new KubeError(404, {
      reason: "NotFound",
      message: `the API server does not serve ${kind.kind} of ${kind.apiVersion}: its CRD is not installed`,
    });
  }
  return {
    serves: async (kind: KindRef, signal?: AbortSignal): Promise<boolean> =>
      (await find(kind, signal)) !== undefined,
    /** The path of one object, or of a sub-resource of it. */
    async pathOf(ref: ObjectRef, subresource?: string, signal?: AbortSignal): Promise<string> {
      const collection = await this.collectionOf(ref, signal);
      return `${collection}/${encodeURIComponent(ref.name)}${subresource ? `/${subresource}` : ""}`;
    },
    /** The path of all objects of a kind, in one namespace or in all. */
    async collectionOf(
      { apiVersion, kind, namespace }: KindRef & Pick<Selection, "namespace">,
      signal?: AbortSignal,
    ): Promise<string> {
      const { name, namespaced } = await resourceOf({ apiVersion, kind }, signal);
      const within =
        namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
      return `${rootOf(apiVersion)}${within}/${name}`;
    },
    /** Forgets what is known of a group: its CRD may have gone. */
    forget: ({ apiVersion }: KindRef): void => void known.delete(apiVersion),
  };
}
export type Discovery = ReturnType<typeof discovery>;
