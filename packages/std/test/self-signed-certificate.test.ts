import { X509Certificate, createPrivateKey } from "node:crypto";
import { expect, test } from "vitest";
import { selfSignedCertificate } from "../src/self-signed-certificate.ts";

test("makes a certificate that is of its key, signed with it, and good from its day on", () => {
  const { key, certificate } = selfSignedCertificate("Starform registry", new Date("2026-11-29T08:00:00Z"));
  const read = new X509Certificate(certificate);
  expect(read.subject).toBe("CN=Starform registry");
  expect(read.issuer).toBe(read.subject);
  expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(read.verify(read.publicKey)).toBe(true);
  expect(read.validFromDate).toEqual(new Date("2026-11-29T08:00:00Z"));
  expect(read.validToDate).toEqual(new Date("2046-11-29T08:00:00Z"));
});

test("writes a year beyond 2049 with four digits", () => {
  const { certificate } = selfSignedCertificate("later", new Date("2040-01-01T00:00:00Z"));
  expect(new X509Certificate(certificate).validToDate.toISOString()).toBe("2060-01-01T00:00:00.000Z");
});

test("gives no two certificates the same number", () => {
  const numbers = [1, 2].map(
    () => new X509Certificate(selfSignedCertificate("one", new Date()).certificate).serialNumber,
  );
  expect(new Set(numbers).size).toBe(2);
});

test("names the addresses where its holder is found, and no other", () => {
  const { certificate } = selfSignedCertificate("a server", new Date(), ["127.0.0.1"]);
  expect(new X509Certificate(certificate).checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(new X509Certificate(certificate).checkIP("127.0.0.2")).toBeUndefined();
});
