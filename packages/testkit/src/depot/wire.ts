import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import protobuf from "protobufjs";

/** A message in protobuf's JSON form. */
export type Json = Record<string, unknown>;

/** The codes of Connect, with the HTTP status that each answers with. */
const statuses = {
  invalid_argument: 400,
  failed_precondition: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  resource_exhausted: 429,
  internal: 500,
  unimplemented: 501,
  unavailable: 503,
} as const;
export type ConnectCode = keyof typeof statuses;

export class ConnectFailure extends Error {
  override readonly name = "ConnectFailure";
  readonly code: ConnectCode;

  constructor(code: ConnectCode, message: string) {
    super(message);
    this.code = code;
  }
}

export const statusOf = ({ code }: ConnectFailure): number => statuses[code];

const read = (name: string): Json => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8")) as Json;
const contract = read("schemas.json") as { methods: Record<string, { request: string; response: string }> };
const root = protobuf.Root.fromJSON(read("messages.json") as protobuf.INamespace);
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(contract, "depot");

export type Call = { readonly name: string; readonly request: string; readonly response: string };

/** The call at a path of the API; undefined for one that is not served here. */
export function callAt(path: string): Call | undefined {
  const name = path.replace(/^\//, "");
  const found = contract.methods[name];
  return found && { name, ...found };
}

/** Reads a request and holds it against the vendor's contract. */
export function decode(type: string, bytes: Uint8Array): Json {
  const found = root.lookupType(type);
  const value = found.toObject(found.decode(bytes), { enums: String, longs: String, oneofs: false }) as Json;
  return checked(type, value, "invalid_argument");
}

/** Writes an answer, after it was held against the vendor's contract: a fake must not make up fields. */
export function encode(type: string, value: Json): Buffer {
  const found = root.lookupType(type);
  const message = found.fromObject(withTimestamps(checked(type, value, "internal")));
  return Buffer.from(found.encode(message).finish());
}

function checked(type: string, value: Json, code: ConnectCode): Json {
  const schema = { $ref: `depot#/components/schemas/${type}` };
  if (ajv.validate(schema, value)) return value;
  throw new ConnectFailure(code, `${type}: ${ajv.errorsText()}`);
}

/** JSON says a time as text, the message as seconds. */
function withTimestamps(value: Json): Json {
  const entries = Object.entries(value).map(([key, one]) => {
    if (key.endsWith("At") && typeof one === "string")
      return [key, { seconds: Math.trunc(Date.parse(one) / 1_000), nanos: 0 }];
    if (Array.isArray(one))
      return [key, one.map((item) => (typeof item === "object" ? withTimestamps(item as Json) : item))];
    return [key, typeof one === "object" && one !== null ? withTimestamps(one as Json) : one];
  });
  return Object.fromEntries(entries) as Json;
}

/** A message of a stream: flags, length, bytes. The last one has flag 2 and says how the call ended. */
export function envelope(bytes: Uint8Array, flags = 0): Buffer {
  const framed = Buffer.alloc(5 + bytes.length);
  framed[0] = flags;
  framed.writeUInt32BE(bytes.length, 1);
  framed.set(bytes, 5);
  return framed;
}

/** The messages of a request stream as they come. */
export async function* envelopes(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending = Buffer.alloc(0);
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
      const end = 5 + pending.readUInt32BE(1);
      if (((pending[0] ?? 0) & 2) === 0) yield pending.subarray(5, end);
      pending = pending.subarray(end);
    }
  }
}
