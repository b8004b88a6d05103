import type { Json } from "../model/json.ts";
import type { FieldError } from "../model/field-error.ts";
import type { Stored } from "../model/object.ts";
import type { Schema } from "../schema/schema.ts";

/** What a strategy may ask of the cluster while it prepares an object. */
export type KindContext = {
  readonly now: () => Date;
  readonly random: () => number;
  /** The next free address of the service network, and the next free node port. */
  readonly allocateAddress: () => string;
  readonly allocateNodePort: () => number;
};

/** What the API server does for one kind beyond what it does for all. */
export type Strategy = {
  /** Well-known values of fields that were left out; runs on every object that is read from a request. */
  readonly defaults?: (object: Stored) => Stored;
  /** The last touch before a new object is validated; status has been emptied already. */
  readonly onCreate?: (object: Stored, context: KindContext) => Stored;
  /** The same before a change; status is the old one already. */
  readonly onUpdate?: (object: Stored, old: Stored, context: KindContext) => Stored;
  readonly validate?: (object: Stored) => readonly FieldError[];
  readonly validateUpdate?: (object: Stored, old: Stored) => readonly FieldError[];
};

export type NameRule = "subdomain" | "label" | "service" | "segment";

/** Where the scale subresource of a kind finds its numbers: paths of field names. */
export type ScalePaths = {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  readonly selector?: readonly string[];
};

export type Column = {
  readonly name: string;
  readonly type: string;
  readonly path: string;
  readonly priority?: number;
  /** Works the cell out where no path leads to it. */
  readonly cell?: (object: Stored, now: Date) => Json;
};

/** One served version of one kind of object. */
export type Kind = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Where the store keeps it: `<plural>.<group>`, for all versions of the kind. */
  readonly resource: string;
  readonly schema: Schema;
  readonly isCustom: boolean;
  readonly hasStatus: boolean;
  readonly hasGeneration: boolean;
  /** Deleted only after a time of grace: pods. */
  readonly isGraceful: boolean;
  /** May be replaced without saying which version is meant. */
  readonly allowsBlindUpdate: boolean;
  readonly nameRule: NameRule;
  readonly scale: ScalePaths | undefined;
  readonly columns: readonly Column[];
  readonly selectableFields: readonly string[];
  readonly strategy: Strategy;
};

export const apiVersionOf = ({
  group,
  version,
}: {
  readonly group: string;
  readonly version: string;
}): string => (group ? `${group}/${version}` : version);
