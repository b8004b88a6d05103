import type { JsonObject } from "./json.ts";

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

export type ManagedFields = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: JsonObject;
  readonly subresource?: string;
};

export type Meta = {
  readonly name: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFields[];
};

/** Any object, as the store keeps it. */
export type Stored = JsonObject & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Meta;
};

/** The object with changed metadata; a field given as undefined goes. */
export function withMeta<T extends Stored>(
  object: T,
  change: { readonly [field in keyof Meta]?: Meta[field] | undefined },
): T {
  const metadata = Object.fromEntries(
    Object.entries({ ...object.metadata, ...change }).filter(([, value]) => value !== undefined),
  );
  return { ...object, metadata } as T;
}

export const keyOf = ({ namespace, name }: { readonly namespace?: string; readonly name: string }): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

/** The reference to the one controller of an object, if it has one. */
export const controllerOf = (object: Stored): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find(({ controller }) => controller);

/** Seconds are all that Kubernetes keeps in most of its times. */
export const timestamp = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
export const microTimestamp = (date: Date): string => `${date.toISOString().slice(0, 23)}000Z`;
