/** The variables a plan is made with. Only `RAILPACK_*` steer it; of the others only the names matter. */
export interface PlanVariables {
  /** The value of `RAILPACK_<name>`, trimmed; undefined when absent or empty. */
  get(name: string): string | undefined;
  /** The value split at spaces. */
  list(name: string): string[];
  isOn(name: string): boolean;
  /** The value of a variable that is not Railpack's. */
  plain(name: string): string | undefined;
  /** All names, in order. */
  readonly names: readonly string[];
  namesStartingWith(prefixes: readonly string[]): string[];
}

export function planVariables(variables: Readonly<Record<string, string>> = {}): PlanVariables {
  const table = new Map(Object.entries(variables));
  const names = [...table.keys()].toSorted();
  const get = (name: string) => table.get(`RAILPACK_${name}`)?.trim() || undefined;
  return {
    get,
    list: (name) => get(name)?.split(/\s+/) ?? [],
    isOn: (name) => ["1", "true"].includes(get(name)?.toLowerCase() ?? ""),
    plain: (name) => table.get(name),
    names,
    namesStartingWith: (prefixes) =>
      names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix))),
  };
}
