import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { parse } from "yaml";

type Row = Readonly<Record<string, unknown>>;
type Sink = {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly database: string;
  readonly table: string;
  readonly skip_unknown_fields: boolean;
  readonly encoding: { readonly only_fields: readonly string[] };
};
type Config = {
  readonly sources: {
    readonly clusters: {
      readonly type: string;
      readonly path: string;
      readonly method: string;
      readonly decoding: { readonly codec: string };
      readonly framing: { readonly method: string };
      readonly auth: { readonly strategy: string; readonly source: string };
    };
  };
  readonly transforms: { readonly whose: { readonly route: { readonly tenant: string } } };
  readonly sinks: Readonly<Record<string, Sink>>;
};
export type ClickHouse = { readonly url: string; readonly user: string; readonly password: string };

const config = parse(
  readFileSync(new URL("../../../../deploy/region/vector/vector.yaml", import.meta.url), "utf8"),
) as Config;

/** What this stand-in does of the file; one that says something else is not stood in for. */
function understood({ type, decoding, framing, auth }: Config["sources"]["clusters"]): void {
  const said = [type, decoding.codec, framing.method, auth.strategy];
  const isKnown =
    said.join() === "http_server,json,newline_delimited,custom" &&
    auth.source.includes('includes(hashes, sha2(string!(.headers.authorization), variant: "SHA-256"))');
  if (!isKnown) throw new Error(`the stand-in for Vector does not know such a source: ${said.join()}`);
}

/** Whether a row is of the route: comparisons of its fields, all of which must hold. */
const isOfRoute = (condition: string, row: Row): boolean =>
  condition.split(" && ").every((part) => {
    const [, text, filled] = /^(?:is_string\(\.(\w+)\)|\.(\w+) != "")$/.exec(part) ?? [];
    if (text) return typeof row[text] === "string";
    if (filled) return row[filled] !== "";
    throw new Error(`the stand-in for Vector does not know such a condition: ${part}`);
  });

/**
 * A region's door for logs, doing with what comes what deploy/region/vector/vector.yaml says: path, method, who may, whose a
 * row is, which fields are written where. The store behind it is real; Vector's buffers are not here, so an answer waits for it.
 */
export async function openVectorDoor(clickhouse: ClickHouse) {
  const { clusters } = config.sources;
  understood(clusters);
  const [written] = Object.values(config.sinks).filter(({ inputs }) => inputs.includes("whose.tenant"));
  const door = {
    url: "",
    /** Of whole headers, as STARFORM_CLUSTER_TOKEN_HASHES has them. */
    tokenHashes: [] as string[],
    unattributed: [] as Row[],
    refused: 0,
    allow: (token: string) => void (door.tokenHashes = [sha256(`Bearer ${token}`)]),
  };
  const insert = async (rows: readonly Row[]): Promise<boolean> => {
    const { database, table, skip_unknown_fields, encoding } = written!;
    const kept = rows.map((row) =>
      JSON.stringify(Object.fromEntries(encoding.only_fields.map((name) => [name, row[name]]))),
    );
    const query = new URLSearchParams({
      query: `INSERT INTO ${database}.${table} FORMAT JSONEachRow`,
      input_format_skip_unknown_fields: skip_unknown_fields ? "1" : "0",
    });
    const login = Buffer.from(`${clickhouse.user}:${clickhouse.password}`).toString("base64");
    const answer = await fetch(`${clickhouse.url}/?${query.toString()}`, {
      method: "POST",
      headers: { authorization: `Basic ${login}` },
      body: kept.join("\n"),
    });
    return answer.ok;
  };
  const answerTo = async (request: IncomingMessage): Promise<number> => {
    const body = await text(request);
    if (request.url !== clusters.path) return 404;
    if (request.method !== clusters.method) return 405;
    if (!door.tokenHashes.includes(sha256(request.headers.authorization ?? ""))) {
      door.refused += 1;
      return 401;
    }
    const rows = body
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row);
    const isOurs = (row: Row) => isOfRoute(config.transforms.whose.route.tenant, row);
    door.unattributed.push(...rows.filter((row) => !isOurs(row)));
    return (await insert(rows.filter(isOurs))) ? 200 : 400;
  };
  const server = createServer((request, response) => {
    void answerTo(request)
      .catch(() => 400)
      .then((status) => response.writeHead(status).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  door.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(door, {
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  });
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
