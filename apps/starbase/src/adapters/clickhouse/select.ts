/** Runs a query and answers its rows. */
export type Select = <Row>(
  sql: string,
  params: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
) => Promise<Row[]>;
