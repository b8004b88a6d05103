import { Fault } from "@starform/std/fault";
import { fillReferences, referencesIn, rewriteNamespaces, type Reference } from "./references.ts";

/** A variable opened: `template` may hold references by id. */
export type OpenVariable = {
  readonly name: string;
  readonly isSecret: boolean;
  readonly template: string;
  readonly digest: string;
  readonly updatedAt: Date;
};
export type OpenGroup = {
  readonly id: string;
  readonly name: string | null;
  readonly serviceId: string | null;
  readonly entries: readonly OpenVariable[];
};
export type BookService = {
  readonly id: string;
  readonly name: string;
  /** What the platform itself tells the service: STARFORM_*. */
  readonly injected: Readonly<Record<string, string>>;
};

/** All the variables of one environment of a project. */
export type VariableBook = {
  readonly services: readonly BookService[];
  /** Named groups, and the own groups of this environment's services. */
  readonly groups: readonly OpenGroup[];
  /** Named groups per service, lowest attach order first. */
  readonly attached: ReadonlyMap<string, readonly string[]>;
};

export type ResolvedVariable = { readonly name: string; readonly value: string; readonly isSecret: boolean };
export type ResolvedGroup = { readonly id: string; readonly variables: readonly ResolvedVariable[] };

/** The groups of a service in the order in which later wins: attached ones, then its own. */
export function groupsOf(book: VariableBook, serviceId: string): OpenGroup[] {
  const attached = (book.attached.get(serviceId) ?? []).flatMap(
    (id) => book.groups.find((group) => group.id === id) ?? [],
  );
  return [...attached, ...book.groups.filter((group) => group.serviceId === serviceId)];
}

/**
 * What a service gets, group by group, with every reference resolved. A missing name or a cycle is a Fault `invalid`
 * that shows the way to it. What refers to a secret is a secret.
 */
export function resolveService(book: VariableBook, serviceId: string): ResolvedGroup[] {
  const known: Known = new Map();
  return groupsOf(book, serviceId).map((group) => ({
    id: group.id,
    variables: group.entries.map((entry) => ({
      name: entry.name,
      ...evaluate({ book, known }, serviceId, entry, [`${nameOf(book, serviceId)}.${entry.name}`]),
    })),
  }));
}

/** Variables of others that refer to a service or group, as `service.NAME`. */
export const referrersTo = (book: VariableBook, id: string): string[] =>
  book.groups
    .filter((group) => group.id !== id && group.serviceId !== id)
    .flatMap((group) =>
      group.entries
        .filter(({ template }) => referencesIn(template).some(({ namespace }) => namespace === id))
        .map(({ name }) => `${nameOf(book, group.serviceId ?? group.id)}.${name}`),
    );

/** The winning value of each name. */
export const mergedVariables = (groups: readonly ResolvedGroup[]): Map<string, ResolvedVariable> =>
  new Map(groups.flatMap((group) => group.variables.map((variable) => [variable.name, variable])));

type Evaluated = { readonly value: string; readonly isSecret: boolean };
/** What was resolved already, by owner and entry: each is resolved once, however many refer to it. */
type Known = Map<string, Map<OpenVariable, Evaluated>>;
type Resolving = { readonly book: VariableBook; readonly known: Known };

/** As long as a value may be that is set as it is. Values that double their references would grow without end. */
const valueCharsMax = 65_536;

function evaluate(
  resolving: Resolving,
  owner: string,
  entry: OpenVariable,
  path: readonly string[],
): Evaluated {
  const { known } = resolving;
  const hit = known.get(owner)?.get(entry);
  if (hit) return hit;
  let isSecret = entry.isSecret;
  let chars = 0;
  const value = fillReferences(entry.template, (reference) => {
    const found = lookUp(resolving, owner, reference, path);
    isSecret ||= found.isSecret;
    chars += found.value.length;
    if (chars > valueCharsMax)
      throw new Fault(
        "invalid",
        `${path.at(-1)} would have more than ${valueCharsMax.toLocaleString("en")} characters with what it refers to: refer to less`,
      );
    return found.value;
  });
  const evaluated = { value, isSecret };
  known.set(owner, (known.get(owner) ?? new Map()).set(entry, evaluated));
  return evaluated;
}

function lookUp(
  resolving: Resolving,
  owner: string,
  { namespace = owner, name }: Reference,
  path: readonly string[],
): Evaluated {
  const { book } = resolving;
  const step = `${nameOf(book, namespace)}.${name}`;
  const way = [...path, step];
  if (path.includes(step))
    throw new Fault("invalid", `these variables refer to each other in a circle: ${way.join(" → ")}`);
  const service = book.services.find((s) => s.id === namespace);
  const entries = service
    ? groupsOf(book, service.id).toReversed()
    : book.groups.filter((group) => group.id === namespace);
  for (const group of entries) {
    const entry = group.entries.find((e) => e.name === name);
    if (entry) return evaluate(resolving, namespace, entry, way);
  }
  const injected = service?.injected[name];
  if (injected !== undefined) return { value: injected, isSecret: false };
  throw new Fault(
    "invalid",
    `${path.at(-1)} refers to ${step}, which does not exist${path.length > 1 ? ` (${way.join(" → ")})` : ""}: set it first, or correct the name`,
  );
}

const nameOf = (book: VariableBook, id: string): string =>
  book.services.find((service) => service.id === id)?.name ??
  book.groups.find((group) => group.id === id)?.name ??
  id;

/** A template as it is stored: namespaces by id. A name nobody has is a Fault `invalid`. */
export const toIds = (book: VariableBook, template: string, where: string): string =>
  rewriteNamespaces(template, (namespace) => {
    const found =
      book.services.find((s) => s.name === namespace || s.id === namespace)?.id ??
      book.groups.find((g) => g.name !== null && (g.name === namespace || g.id === namespace))?.id;
    if (found) return found;
    const names = [...book.services.map((s) => s.name), ...book.groups.flatMap((g) => g.name ?? [])];
    throw new Fault(
      "invalid",
      `${where} refers to ${namespace}, but there is no service or var group of that name (there are: ${names.join(", ") || "none"})`,
    );
  });

/** A template as it is shown: namespaces by name. */
export const toNames = (book: VariableBook, template: string): string =>
  rewriteNamespaces(template, (namespace) => nameOf(book, namespace));
