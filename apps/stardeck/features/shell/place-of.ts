/** What Next hands to a page, still in the address's spelling. */
export type Params<Name extends string> = Promise<Readonly<Record<Name, string>>>;

/** The names in an address as they are. */
export const placeOf = async <Name extends string>(params: Params<Name>): Promise<Record<Name, string>> =>
  Object.fromEntries(
    Object.entries<string>(await params).map(([name, value]) => [name, decodeURIComponent(value)]),
  ) as Record<Name, string>;
