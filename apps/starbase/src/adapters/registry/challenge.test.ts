import { expect, test } from "vitest";
import { challengeIn, tokenUrl } from "./challenge.ts";

test.each([
  ['Basic realm="x"', { scheme: "basic" }],
  ["basic", { scheme: "basic" }],
  [
    'Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull,push"',
    {
      scheme: "bearer",
      realm: "https://auth.example/token",
      service: "r",
      scope: "repository:a/b:pull,push",
    },
  ],
  [
    'bearer  realm = "https://a.example/\\"t" , error="invalid_token"',
    { scheme: "bearer", realm: 'https://a.example/"t' },
  ],
  ['Bearer service="r"', undefined],
  ["Digest realm=x", undefined],
  [undefined, undefined],
])("reads %s", (header, challenge) => {
  expect(challengeIn(header)).toEqual(challenge);
});

test("asks for the token where it was told, keeping what stands there", () => {
  const url = tokenUrl(
    {
      scheme: "bearer",
      realm: "https://a.example/t?x=1",
      service: "r",
      scope: "repository:a:pull repository:b:pull",
    },
    "https://r.example",
  );
  expect(url?.href).toBe(
    "https://a.example/t?x=1&service=r&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull",
  );
});

test("sends credentials in plain HTTP only for a registry that is asked so", () => {
  const challenge = { scheme: "bearer", realm: "http://a.example/t" } as const;
  expect(tokenUrl(challenge, "https://r.example")).toBeUndefined();
  expect(tokenUrl(challenge, "http://127.0.0.1:5000")?.protocol).toBe("http:");
  expect(tokenUrl({ scheme: "bearer", realm: "file:///etc/passwd" }, "http://127.0.0.1")).toBeUndefined();
});
