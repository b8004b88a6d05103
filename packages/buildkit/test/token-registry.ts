import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSignedCertificate } from "@starform/std/self-signed-certificate";
import { freePort, openDockerRegistry } from "@starform/testkit/docker-registry";
import { registryUser } from "./registry.ts";

/** Who asked for a token: with which credentials, for which scopes. */
export type TokenAsked = { readonly by: string; readonly user: string; readonly scopes: readonly string[] };

export type TokenRegistry = { readonly host: string; readonly asked: TokenAsked[] } & AsyncDisposable;

const [issuer, service] = ["test", "test-registry"];

/** Debian's docker-registry with a token server before it, which lets one user do everything and others nothing. */
export async function openTokenRegistry(): Promise<TokenRegistry> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), "starform-registry-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const { key, certificate } = selfSignedCertificate(issuer, new Date(Date.now() - 60_000));
  const tokenOf = tokens(key, certificate);
  const asked: TokenAsked[] = [];
  const allowed = `Basic ${btoa(`${registryUser.username}:${registryUser.password}`)}`;
  const server = createServer((request, response) => {
    const scopes = new URL(request.url ?? "", "http://tokens").searchParams.getAll("scope");
    const { authorization = "", "user-agent": by = "" } = request.headers;
    const user = Buffer.from(authorization.slice("Basic ".length), "base64").toString().split(":")[0]!;
    asked.push({ by, user, scopes });
    // A sign-in by form is refused as by servers that do not know it, and Docker asks the other way.
    if (request.method !== "GET") return void response.writeHead(404).end();
    if (authorization && authorization !== allowed) return void response.writeHead(401).end("{}");
    const token = tokenOf(authorization ? scopes : []);
    response.end(JSON.stringify({ token, access_token: token, expires_in: 300 }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  stack.defer(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const realm = `http://127.0.0.1:${port}/token`;
  const { host } = stack.use(
    await openDockerRegistry({ dir, port: await freePort(), realm, service, issuer, certificate }),
  );
  const opened = stack.move();
  return { host, asked, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function tokens(key: string, certificate: string) {
  const head = encode({
    typ: "JWT",
    alg: "RS256",
    x5c: [new X509Certificate(certificate).raw.toString("base64")],
  });
  return (scopes: readonly string[]): string => {
    const at = Math.floor(Date.now() / 1_000);
    const access = scopes.map((scope) => {
      const [type, ...rest] = scope.split(":");
      return { type, name: rest.slice(0, -1).join(":"), actions: rest.at(-1)!.split(",") };
    });
    const times = { iat: at, nbf: at - 60, exp: at + 300 };
    const text = `${head}.${encode({ iss: issuer, sub: "test", aud: service, jti: randomUUID(), ...times, access })}`;
    return `${text}.${sign("sha256", Buffer.from(text), createPrivateKey(key)).toString("base64url")}`;
  };
}
