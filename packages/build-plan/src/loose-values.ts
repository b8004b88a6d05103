/** Readers of what a manifest holds, in which a value of another type than it should be counts as absent. */
export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value : undefined;

/** An object, empty where it is none. */
export const table = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value !== "object" || value === null || Array.isArray(value)
    ? {}
    : (value as Record<string, unknown>);

/** Those of an object's entries that are text. */
export const texts = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(table(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "",
    ),
  );

/** Those of a list that are text. */
export const list = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
