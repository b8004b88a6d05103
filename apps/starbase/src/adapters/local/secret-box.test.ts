import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { accessTokens } from "./access-tokens.ts";
import { secretBox } from "./secret-box.ts";

const key = (id: string) => `${id}:${randomBytes(32).toString("base64")}`;

test("opens what it sealed, never the same twice, and refuses what was touched", () => {
  const box = secretBox(key("a"));
  const [first, second] = [box.seal("hunter2"), box.seal("hunter2")];
  expect(box.open(first)).toBe("hunter2");
  expect(first.ciphertext.equals(second.ciphertext)).toBe(false);
  expect(first.ciphertext.includes("hunter2")).toBe(false);
  for (let at = 0; at < first.ciphertext.length; at++) {
    const touched = Buffer.from(first.ciphertext);
    touched[at]! ^= 1;
    expect(() => box.open({ ...first, ciphertext: touched })).toThrow(
      /authenticate|configured|auth tag|Invalid/i,
    );
  }
});

test("after a rotation seals with the new key, opens the old, and keeps its digests", () => {
  const [old, fresh] = [key("old"), key("new")];
  const before = secretBox(old);
  const after = secretBox(`${fresh}\n${old}`);
  expect(after.open(before.seal("x"))).toBe("x");
  expect(after.seal("x").keyId).toBe("new");
  expect(after.digest("x")).toBe(before.digest("x"));
  expect(() => secretBox(fresh).open(before.seal("x"))).toThrow(/key old is not configured/);
});

test("gives digests that cannot be guessed at without the key", () => {
  expect(secretBox(key("a")).digest("x")).not.toBe(secretBox(key("a")).digest("x"));
});

test("reads an access token until its time, and none of another key", () => {
  const tokens = accessTokens("k".repeat(32));
  const now = new Date("2026-01-01T00:00:00Z");
  const token = tokens.sign("session", new Date(now.getTime() + 1_000));
  expect(tokens.read(token, now)).toBe("session");
  expect(tokens.read(token, new Date(now.getTime() + 1_000))).toBeUndefined();
  expect(accessTokens("o".repeat(32)).read(token, now)).toBeUndefined();
  expect(tokens.read("a.b.c", now)).toBeUndefined();
});
