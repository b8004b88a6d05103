import { Fault, wordsOf } from "@starform/std/fault";
import type pg from "pg";

/** What a server says of an address that no waiting makes right. */
const refusals: Readonly<Record<string, (client: pg.Client) => string>> = {
  "28P01": ({ user }) => `refuses the password of ${user}`,
  "28000": ({ user }) => `does not let ${user} in`,
  "3D000": ({ database }) => `has no database ${database}`,
};

/**
 * Why the client could not connect, with host and port and never the password: Fault `invalid` if the server refused
 * what the address says, `unavailable` if it could not be reached.
 */
export function noConnection(client: pg.Client, cause: unknown): Fault {
  const { code } = cause as NodeJS.ErrnoException;
  const place = `${client.host}:${client.port}`;
  const refusal = wordsOf(cause).startsWith("SASL") ? refusals["28P01"] : refusals[code ?? ""];
  if (refusal)
    return new Fault("invalid", `the PostgreSQL at ${place} ${refusal(client)}: correct DATABASE_URL`, {
      cause,
    });
  return new Fault(
    "unavailable",
    `no PostgreSQL can be reached at ${place} (${code ?? wordsOf(cause)}): start it, or correct DATABASE_URL`,
    { cause },
  );
}
