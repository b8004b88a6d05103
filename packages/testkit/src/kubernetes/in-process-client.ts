import type { Cluster } from "./cluster.ts";
import type { Kind } from "./kinds/kind.ts";
import { asObject, type JsonObject } from "./model/json.ts";
import type { Stored } from "./model/object.ts";
import type { Call } from "./verbs/call.ts";
import { create } from "./verbs/create.ts";
import { remove, type DeleteOptions } from "./verbs/delete.ts";
import { patch, type Patch } from "./verbs/patch.ts";
import { existing, replace } from "./verbs/update.ts";

type Address = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
};

/** The API server's calls without HTTP. Refusals are thrown as `ApiError`. */
export type InProcessClient = {
  create(object: JsonObject, options?: Partial<Call>): Stored;
  replace(object: JsonObject, options?: Partial<Call>): Stored;
  apply(object: JsonObject, options?: Partial<Call> & { readonly force?: boolean }): Stored;
  patch(address: Address, what: Omit<Patch, "force">, options?: Partial<Call>): Stored;
  get(address: Address): Stored;
  list(apiVersion: string, kind: string, namespace?: string): readonly Stored[];
  remove(address: Address, options?: DeleteOptions & Partial<Call>): JsonObject;
};

export function clientOf(
  cluster: Cluster,
  user = "kubernetes-admin",
  fieldManager = "test",
): InProcessClient {
  const kindOf = (apiVersion: string, kind: string): Kind => {
    const found = cluster.registry.byKind(apiVersion, kind);
    if (!found) throw new Error(`the cluster does not serve ${apiVersion}/${kind}`);
    return found;
  };
  const callOn = ({ apiVersion, kind, name, namespace }: Address, options: Partial<Call> = {}): Call => {
    const type = kindOf(apiVersion, kind);
    return {
      kind: type,
      namespace: type.namespaced ? (namespace ?? "default") : undefined,
      name,
      user,
      fieldManager,
      fieldValidation: "Strict",
      dryRun: false,
      warn: () => undefined,
      ...options,
    };
  };
  const addressOf = (object: JsonObject): Address => {
    const { name, namespace } = asObject(object["metadata"]);
    return {
      apiVersion: String(object["apiVersion"]),
      kind: String(object["kind"]),
      name: String(name ?? ""),
      ...(namespace !== undefined && { namespace: String(namespace) }),
    };
  };
  return {
    create: (object, options) => create(object, callOn(addressOf(object), options), cluster),
    replace: (object, options) => replace(object, callOn(addressOf(object), options), cluster),
    apply: (object, { force = false, ...options } = {}) =>
      patch({ type: "apply", body: object, force }, callOn(addressOf(object), options), cluster).object,
    patch: (address, what, options) =>
      patch({ ...what, force: false }, callOn(address, options), cluster).object,
    get: (address) => existing(callOn(address), cluster),
    list: (apiVersion, kind, namespace) => cluster.store.list(kindOf(apiVersion, kind).resource, namespace),
    remove: (address, options) => remove(options ?? {}, callOn(address, options), cluster),
  };
}
