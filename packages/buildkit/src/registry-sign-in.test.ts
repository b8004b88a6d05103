import { createPublicKey, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codec } from "./protocol.ts";
import { registrySignIn, type RegistryAuth } from "./registry-sign-in.ts";

const host = "127.0.0.1:5000";
const auth: RegistryAuth = { [host]: { username: "builder", password: "a-password" } };

/** One call as a builder makes it. */
async function ask(of: RegistryAuth, method: string, request: [string, object], response: string) {
  let sent: Uint8Array = Buffer.alloc(0);
  await registrySignIn(of)[`/moby.filesync.v1.Auth/${method}`]!({
    metadata: () => [],
    messages: (async function* () {
      yield codec<object>(request[0]).encode(request[1]);
    })(),
    send: async (message) => void (sent = message),
    sendFramed: () => undefined,
    throwIfGone: () => undefined,
  });
  return codec<Record<string, string & Uint8Array>>(response).decode(sent);
}

describe("who else may use a token", () => {
  const salt = randomBytes(32);
  const keyOf = async (of: RegistryAuth, salted = salt) =>
    (
      await ask(
        of,
        "GetTokenAuthority",
        ["TokenAuthorityRequest", { host, salt: salted }],
        "TokenAuthorityResponse",
      )
    )["publicKey"]!;

  test("who has the same credentials, and proves it with the key that they make", async () => {
    const publicKey = await keyOf(auth);
    expect(publicKey.length).toBe(32);
    const payload = randomBytes(32);
    const request = { host, payload, salt };
    const { signed } = await ask(
      structuredClone(auth),
      "VerifyTokenAuthority",
      ["VerifyAuthorityRequest", request],
      "VerifyAuthorityResponse",
    );
    expect(Buffer.from(signed!.subarray(64)).equals(payload)).toBe(true);
    const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey).toString("base64url") };
    const key = createPublicKey({ key: jwk, format: "jwk" });
    expect(verify(null, payload, key, signed!.subarray(0, 64))).toBe(true);
  });

  test("nobody with others, or at another builder", async () => {
    const publicKey = await keyOf(auth);
    expect(await keyOf(auth)).toEqual(publicKey);
    expect(await keyOf({ [host]: { username: "builder", password: "another" } })).not.toEqual(publicKey);
    expect(await keyOf({ [host]: { username: "another", password: "a-password" } })).not.toEqual(publicKey);
    expect(await keyOf(auth, randomBytes(32))).not.toEqual(publicKey);
  });

  test("a builder asks registries without a sign-in by itself", async () => {
    await expect(keyOf({})).rejects.toMatchObject({ code: 12 });
    await expect(keyOf({ "127.0.0.1:5001": auth[host]! })).rejects.toMatchObject({ code: 12 });
  });
});

describe("a token", () => {
  let asked: IncomingMessage[] = [];
  let answers: { status: number; body: string };
  const server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(answers.status).end(answers.body);
  });
  let realm = "";
  beforeAll(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?account=1`;
  });
  afterAll(() => void server.close());
  const fetchToken = (request: object = {}, of = auth) => {
    asked = [];
    const whole = {
      host,
      realm,
      service: "registry",
      scopes: ["repository:a/b:pull", "repository:c/d:pull,push"],
      ...request,
    };
    return ask(of, "FetchToken", ["FetchTokenRequest", whole], "FetchTokenResponse");
  };

  test("is asked for with the credentials of its registry, for every scope", async () => {
    answers = {
      status: 200,
      body: JSON.stringify({ token: "t", expires_in: 300, issued_at: "2026-01-02T03:04:05Z" }),
    };
    expect(await fetchToken()).toEqual({
      token: "t",
      expiresIn: 300,
      issuedAt: Date.UTC(2026, 0, 2, 3, 4, 5) / 1_000,
    });
    const [only, ...more] = asked;
    expect(more).toEqual([]);
    expect(only!.headers.authorization).toBe(`Basic ${btoa("builder:a-password")}`);
    const url = new URL(only!.url!, realm);
    expect(url.searchParams.getAll("scope")).toEqual(["repository:a/b:pull", "repository:c/d:pull,push"]);
    expect([url.searchParams.get("account"), url.searchParams.get("service")]).toEqual(["1", "registry"]);
  });

  test("is taken under its other name too, and is good for a minute where nobody says", async () => {
    answers = { status: 200, body: JSON.stringify({ access_token: "other" }) };
    expect(await fetchToken()).toMatchObject({ token: "other", expiresIn: 60, issuedAt: expect.any(Number) });
  });

  test.each([
    ["a refusal", 401, "a-password is wrong", /refuses this sign-in/],
    ["a failure", 500, "a-password", /answered 500/],
    ["no token", 200, '{"a-password":1}', /without a token/],
    ["no JSON", 200, "<html>a-password", /without a token/],
    ["nothing", 200, "null", /without a token/],
    ["a way elsewhere", 302, "", /could not be asked|answered 302/],
  ])(
    "that is not given ends in a sentence without the credentials: %s",
    async (_, status, body, sentence) => {
      answers = { status, body };
      const error = await fetchToken().catch((cause: unknown) => cause as Error);
      expect(String(error)).toMatch(sentence);
      expect(String(error)).not.toContain("a-password");
    },
  );

  test.each([
    ["in the clear", "registry.example.com", "http://tokens.example.com/"],
    ["to this machine, for a registry elsewhere", "registry.example.com", "http://127.0.0.1:80/"],
    ["to this machine, whatever it speaks", "registry.example.com", "https://localhost/"],
    ["to a name that begins like this machine's address", host, "http://127.example.com/"],
    ["to what is no address", host, "tokens please"],
    ["to a file", host, "file:///etc/passwd"],
  ])("is not asked for %s", async (_, registry, where) => {
    const of = { [registry]: { username: "builder", password: "a-password" } };
    await expect(fetchToken({ host: registry, realm: where }, of)).rejects.toMatchObject({ code: 7 });
    expect(asked).toEqual([]);
  });

  test("is not asked for without a sign-in", async () => {
    await expect(fetchToken({ host: "other.example.com" })).rejects.toMatchObject({ code: 12 });
    expect(asked).toEqual([]);
  });
});

describe("a sign-in that is for some repositories only", () => {
  const limited: RegistryAuth = { [host]: { ...auth[host]!, repositoriesUnder: "shop/one/" } };
  const token = (scopes: readonly string[], realm: string) =>
    ask(
      limited,
      "FetchToken",
      ["FetchTokenRequest", { host, realm, service: "s", scopes }],
      "FetchTokenResponse",
    );

  test("asks for tokens of those, whatever else the builder asks for", async () => {
    const asked: string[][] = [];
    const server = createServer((request, response) => {
      asked.push(new URL(request.url ?? "", "http://tokens").searchParams.getAll("scope"));
      response.end('{"token":"t"}');
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    const own = "repository:shop/one/web:pull,push";
    await token([own, "repository:shop/two/web:pull"], realm);
    const foreign = token(["repository:shop/one-more/web:pull"], realm);
    await expect(foreign).rejects.toMatchObject({ code: 7 });
    server.close();
    expect(asked).toEqual([[own]]);
  });

  test("is handed to no builder, and is another's than the whole", async () => {
    const known = await ask(limited, "Credentials", ["CredentialsRequest", { host }], "CredentialsResponse");
    expect(known["secret"] ?? "").toBe("");
    const keyOf = (of: RegistryAuth) =>
      ask(
        of,
        "GetTokenAuthority",
        ["TokenAuthorityRequest", { host, salt: Buffer.alloc(32) }],
        "TokenAuthorityResponse",
      );
    expect((await keyOf(limited))["publicKey"]).not.toEqual((await keyOf(auth))["publicKey"]);
  });
});
