import { sql, type RawBuilder } from "kysely";

/** A value for a jsonb column; pg would turn an array into a Postgres array. */
export const json = (value: unknown): RawBuilder<unknown> => sql`${JSON.stringify(value)}::jsonb`;
