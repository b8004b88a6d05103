import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

/** A key and the certificate that says it is its own, both as PEM. The key is a secret. */
export type SelfSigned = { readonly key: string; readonly certificate: string };

const years = 20;

/**
 * Makes an RSA key of 2,048 bits and a self-signed certificate of it (X.509 version 3, SHA-256), good for twenty
 * years from `from`. For what asks for a certificate and only ever compares it with a copy. It names no host but the
 * IPv4 addresses given, at which a client that trusts the certificate takes the holder of the key for its server.
 */
export function selfSignedCertificate(
  commonName: string,
  from: Date,
  addresses: readonly string[] = [],
): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const until = new Date(from);
  until.setUTCFullYear(from.getUTCFullYear() + years);
  const name = sequence(
    set(sequence(objectId(2, 5, 4, 3), element(tags.utf8, Buffer.from(commonName, "utf8")))),
  );
  const body = sequence(
    element(tags.version, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    sha256WithRsa,
    name,
    sequence(time(from), time(until)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    ...(addresses.length > 0 ? [alternativeNames(addresses)] : []),
  );
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: pem("CERTIFICATE", sequence(body, sha256WithRsa, signature(body, privateKey))),
  };
}

/** The few tags of ASN.1 (X.690) that a certificate is made of. */
const tags = {
  integer: 0x02,
  bits: 0x03,
  bytes: 0x04,
  null: 0x05,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  address: 0x87,
} as const;

function element(tag: number, content: Buffer): Buffer {
  const size: number[] = [];
  for (let rest = content.length; rest > 0; rest >>>= 8) size.unshift(rest & 0xff);
  const length = content.length < 0x80 ? [content.length] : [0x80 | size.length, ...size];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => element(tags.sequence, Buffer.concat(parts));
const set = (...parts: Buffer[]): Buffer => element(tags.set, Buffer.concat(parts));
/** Bytes whose first bit is not set, so that the number is positive. */
const integer = (bytes: Buffer): Buffer => element(tags.integer, bytes);

function objectId(first: number, second: number, ...rest: number[]): Buffer {
  const bytes = rest.flatMap((part) => {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return element(tags.objectId, Buffer.from([first * 40 + second, ...bytes]));
}

const sha256WithRsa = sequence(objectId(1, 2, 840, 113_549, 1, 1, 11), element(tags.null, Buffer.alloc(0)));

/** The extension that says where the certificate's holder is found (RFC 5280, 4.2.1.6). */
function alternativeNames(addresses: readonly string[]): Buffer {
  const names = addresses.map((ip) => element(tags.address, Buffer.from(ip.split(".").map(Number))));
  const extension = sequence(objectId(2, 5, 29, 17), element(tags.bytes, sequence(...names)));
  return element(tags.extensions, sequence(extension));
}

/** Two digits for the year up to 2049, four from then on (RFC 5280, 4.1.2.5). */
function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "");
  return at.getUTCFullYear() < 2_050
    ? element(tags.utcTime, Buffer.from(digits.slice(2)))
    : element(tags.generalizedTime, Buffer.from(digits));
}

const signature = (body: Buffer, key: KeyObject): Buffer =>
  element(tags.bits, Buffer.concat([Buffer.from([0]), sign("sha256", body, key)]));

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der
    .toString("base64")
    .replace(/.{64}/g, "$&\n")
    .trimEnd()}\n-----END ${label}-----\n`;
