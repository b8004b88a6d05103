/** A JSON value as Postgres can keep it, its texts without NUL and with U+FFFD for halves of characters. */
export const storable = <T>(value: T): T =>
  value === undefined
    ? value
    : (JSON.parse(
        JSON.stringify(value, (_key, one: unknown) => (typeof one === "string" ? storableText(one) : one)),
      ) as T);

export const storableText = (text: string): string => text.replaceAll("\0", "").toWellFormed();
