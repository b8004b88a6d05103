import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { signerOf, verifierOf } from "./signature.ts";

const aKey = (id: string) => `${id}:${randomBytes(32).toString("base64")}`;

test("what one key signed the public half knows, and nothing else", () => {
  const signer = signerOf(aKey("k1"), "test");
  const isSigned = verifierOf(signer.publicKeys, "test");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, other) => {
      const signature = signer.sign(text);
      expect(isSigned(text, signature)).toBe(true);
      expect(isSigned(other, signature)).toBe(other === text);
    }),
  );
});

test("a signature of another purpose, key, or none at all is refused", () => {
  const [ours, theirs] = [signerOf(aKey("k1"), "test"), signerOf(aKey("k1"), "test")];
  const isSigned = verifierOf(ours.publicKeys, "test");
  expect(isSigned("text", theirs.sign("text"))).toBe(false);
  expect(verifierOf(ours.publicKeys, "another")("text", ours.sign("text"))).toBe(false);
  for (const signature of [undefined, "", "k1", "k1:", "k2:AAAA", `k1:${"A".repeat(86)}==`, ":"])
    expect(isSigned("text", signature)).toBe(false);
});

test("after a rotation old signatures still hold while the old public key is known", () => {
  const [old, next] = [aKey("k1"), aKey("k2")];
  const signature = signerOf(old, "test").sign("text");
  const rotated = signerOf(`${next}\n${old}`, "test");
  expect(rotated.sign("text")).toMatch(/^k2:/);
  expect(verifierOf(rotated.publicKeys, "test")("text", signature)).toBe(true);
});

test.each(["", "k1", "k1:AAAA", "a b:AAAA", "k1:not base64!"])("refuses %j as a key", (keys) => {
  expect(() => signerOf(keys, "test")).toThrow(/key/);
  expect(() => verifierOf(keys, "test")).toThrow(/key/);
});
