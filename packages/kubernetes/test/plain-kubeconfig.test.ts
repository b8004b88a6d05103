import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { TLSSocket } from "node:tls";
import { inspect } from "node:util";
import { selfSignedCertificate } from "@starform/std/self-signed-certificate";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { openKubeApi } from "../src/open-kube-api.ts";
import { plainConnection } from "../src/plain-kubeconfig.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const kubeconfig = ({ cluster = {}, user = {} }: { cluster?: object; user?: object } = {}) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1", ...cluster } }],
  users: [
    { name: "u", user: { token: "secret", ...user } },
    { name: "other", user: { token: "another" } },
  ],
  contexts: [
    { name: "here", context: { cluster: "c", user: "u" } },
    { name: "there", context: { cluster: "c", user: "other" } },
  ],
  "current-context": "here",
});

/** A server over TLS that tells what it was sent, and which certificate it was shown. */
async function secureServer(client: { readonly certificate: string }) {
  const own = selfSignedCertificate("server", new Date(Date.now() - 60_000), ["127.0.0.1"]);
  const asked: { authorization: string | undefined; isKnown: boolean }[] = [];
  const options = { key: own.key, cert: own.certificate, ca: client.certificate, requestCert: true };
  const server = createServer({ ...options, rejectUnauthorized: false }, (request, response) => {
    const { authorization } = request.headers;
    asked.push({ authorization, isKnown: (request.socket as TLSSocket).authorized });
    response.end(JSON.stringify({ gitVersion: "v1.36.2" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: base64(own.certificate),
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a kubeconfig that holds all there is to know", () => {
  const client = selfSignedCertificate("client", new Date(Date.now() - 60_000), []);

  test.each([
    { form: "YAML", write: stringify },
    { form: "JSON", write: (value: unknown) => JSON.stringify(value) },
  ])("opens a connection by certificate and token, from $form", async ({ write }) => {
    await using server = await secureServer(client);
    const user = {
      "client-certificate-data": base64(client.certificate),
      "client-key-data": base64(client.key),
    };
    const cluster = { server: server.url, "certificate-authority-data": server.ca };
    await using api = await openKubeApi({ kubeconfig: write(kubeconfig({ cluster, user })) });
    expect(await api.version()).toBe("v1.36.2");
    expect(server.asked).toEqual([{ authorization: "Bearer secret", isKnown: true }]);
  });

  test("trusts nobody but its own authority, unless it says that it trusts everybody", async () => {
    await using server = await secureServer(client);
    const cluster = { server: server.url };
    await using wary = await openKubeApi({ kubeconfig: stringify(kubeconfig({ cluster })) });
    await expect(wary.version()).rejects.toThrow(/self-signed certificate/);
    const trusting = { ...cluster, "insecure-skip-tls-verify": true };
    await using careless = await openKubeApi({ kubeconfig: stringify(kubeconfig({ cluster: trusting })) });
    expect(await careless.version()).toBe("v1.36.2");
  });

  test("is that of the context that was named", async () => {
    using connection = (await plainConnection(stringify(kubeconfig()), "there"))!;
    expect((await connection.route()).headers).toEqual({ authorization: "Bearer another" });
  });
});

describe("what needs more than a text is left to the client library", () => {
  test.each([
    { what: "a program that is asked", text: kubeconfig({ user: { exec: { command: "login" } } }) },
    { what: "an auth provider", text: kubeconfig({ user: { "auth-provider": { name: "oidc" } } }) },
    { what: "a file of a token", text: kubeconfig({ user: { tokenFile: "token" } }) },
    { what: "a file of a certificate", text: kubeconfig({ user: { "client-certificate": "a.crt" } }) },
    { what: "somebody to speak for", text: kubeconfig({ user: { as: "ada" } }) },
    { what: "a password", text: kubeconfig({ user: { username: "ada", password: "secret" } }) },
    { what: "a proxy", text: kubeconfig({ cluster: { "proxy-url": "http://127.0.0.1:3128" } }) },
    { what: "a file of an authority", text: kubeconfig({ cluster: { "certificate-authority": "ca.crt" } }) },
    { what: "a context that is not there", text: { ...kubeconfig(), "current-context": "elsewhere" } },
    { what: "no context", text: { apiVersion: "v1", kind: "Config" } },
  ])("$what", async ({ text }) => {
    expect(await plainConnection(stringify(text))).toBeUndefined();
  });

  test("a text that is neither YAML nor JSON", async () => {
    expect(await plainConnection("{")).toBeUndefined();
    expect(await plainConnection("a: [b")).toBeUndefined();
    expect(await plainConnection("")).toBeUndefined();
  });
});

describe("a file", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "starform-kubeconfig-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const opened = (...names: string[]) =>
    openKubeApi({ kubeconfigFile: names.map((name) => join(dir, name)).join(delimiter) });
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);

  test("that is not there is told with what to do", async () => {
    const wayOut = /^there is no .*\/a or .*\/b: set KUBECONFIG to the kubeconfig of the cluster/;
    await expect(opened("a", "b")).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(wayOut),
    });
  });

  test("that is not there is passed over where another is", async () => {
    write("b", stringify(kubeconfig()));
    await using api = await opened("a", "b");
    await expect(api.version()).rejects.toThrow(/cannot be reached/);
  });

  test("that cannot be read, or is no kubeconfig, is named", async () => {
    await expect(opened("")).rejects.toThrow(/^the kubeconfig .* cannot be read: EISDIR/);
    write("a", "a: [b");
    await expect(opened("a")).rejects.toThrow(/\/a is no kubeconfig: /);
    write("b", "");
    await expect(opened("b")).rejects.toThrow(/\/b is no kubeconfig: /);
  });

  test.each([
    { what: "a line that is cut", lines: ["token: SECRET", "  [broken: yes"], line: 2 },
    { what: "an alias", lines: ["token: *SECRET"], line: 1 },
    { what: "a tag", lines: ["token: !SECRET x"], line: 1 },
    { what: "a tag of its own", lines: ["token: !SECRET!x y"], line: 1 },
  ])("with $what is told with the line, and with nothing that is in it", async ({ lines, line }) => {
    const warned = vi.spyOn(process, "emitWarning");
    write("a", lines.join("\n"));
    const error = await opened("a").catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(new RegExp(`/a is no kubeconfig: \\w.* in line ${line}$`));
    expect(inspect(error)).not.toContain("SECRET");
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });
});
