import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  type KeyObject,
} from "node:crypto";
import { GrpcError, grpcCode } from "./grpc-framing.ts";
import { answer, type Handler } from "./grpc-server.ts";
import { codec } from "./protocol.ts";
import { fetchRegistryToken } from "./registry-token.ts";

/** How a build is let into one registry. */
export type RegistrySignIn = {
  readonly username: string;
  readonly password: string;
  /**
   * What the names of the repositories begin with that it is used for (`shop/api/`), for one that opens more than the
   * build may have. Tokens for others are not asked for, and the password is handed to no builder. Absent: for all.
   */
  readonly repositoriesUnder?: string;
};
/** By registry host. */
export type RegistryAuth = Readonly<Record<string, RegistrySignIn>>;

const credentialsRequest = codec<{ host: string }>("CredentialsRequest");
const credentials = codec<{ username: string; secret: string }>("CredentialsResponse");
const authorityRequest = codec<{ host: string; salt: Uint8Array }>("TokenAuthorityRequest");
const authority = codec<{ publicKey: Uint8Array }>("TokenAuthorityResponse");
const verifyRequest = codec<{ host: string; payload: Uint8Array; salt: Uint8Array }>(
  "VerifyAuthorityRequest",
);
const verified = codec<{ signed: Uint8Array }>("VerifyAuthorityResponse");
const tokenRequest = codec<{ host: string; realm: string; service: string; scopes: string[] }>(
  "FetchTokenRequest",
);
const tokenResponse = codec<{ token: string; expiresIn: number; issuedAt: number }>("FetchTokenResponse");

/**
 * How a builder gets into registries. One that knows how lets this side ask for tokens, which are short-lived and open
 * one repository each, so that the password stays here; it uses a token for another session only if that one proves to
 * have the same credentials. The rest, and registries without a token server, are handed the credentials. Hosts without
 * credentials are the builder's to ask, anonymously: an address that a stranger's registry names is not visited from here.
 */
export const registrySignIn = (auth: RegistryAuth = {}): Record<string, Handler> => ({
  "/moby.filesync.v1.Auth/Credentials": answer((bytes) => {
    const known = of(auth, credentialsRequest.decode(bytes).host);
    const isWhole = known?.repositoriesUnder === undefined;
    return credentials.encode(known && isWhole ? { username: known.username, secret: known.password } : {});
  }),
  "/moby.filesync.v1.Auth/GetTokenAuthority": answer((bytes) => {
    const { host, salt } = authorityRequest.decode(bytes);
    return authority.encode({ publicKey: publicHalf(keyOf(auth, host, salt)) });
  }),
  "/moby.filesync.v1.Auth/VerifyTokenAuthority": answer((bytes) => {
    const { host, salt, payload = Buffer.alloc(0) } = verifyRequest.decode(bytes);
    return verified.encode({
      signed: Buffer.concat([sign(null, payload, keyOf(auth, host, salt)), payload]),
    });
  }),
  "/moby.filesync.v1.Auth/FetchToken": answer(async (bytes) => {
    const { host = "", realm = "", service = "", scopes } = tokenRequest.decode(bytes);
    const known = signInOf(auth, host);
    const asked = { host, realm, service, scopes: ownScopes(known, scopes, host) };
    return tokenResponse.encode(await fetchRegistryToken(asked, known));
  }),
});

/** What the build may have of what its builder asks for: a push may ask for another's repository to mount layers of. */
function ownScopes({ repositoriesUnder: under }: RegistrySignIn, scopes: readonly string[], host: string) {
  if (under === undefined) return scopes;
  const own = scopes.filter((scope) => scope.startsWith(`repository:${under}`));
  if (own.length > 0) return own;
  throw new GrpcError(
    grpcCode.permissionDenied,
    `this build may use the repositories of its own project only, which begin with ${host}/${under}`,
  );
}

const of = (auth: RegistryAuth, host = "") => (Object.hasOwn(auth, host) ? auth[host] : undefined);

function signInOf(auth: RegistryAuth, host = "") {
  const known = of(auth, host);
  if (!known) throw new GrpcError(grpcCode.unimplemented, `no sign-in to ${host} here: ask it yourself`);
  return known;
}

/** Keeps the public key from being a way to try passwords on. */
const pepper = randomBytes(32);
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8. */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

/** The same for equal credentials and salt, within this process: a builder shares a token between builds by it. */
function keyOf(auth: RegistryAuth, host = "", salt: Uint8Array = Buffer.alloc(0)): KeyObject {
  const { username, password, repositoriesUnder = "" } = signInOf(auth, host);
  const seed = createHmac("sha256", Buffer.concat([pepper, salt]))
    .update(JSON.stringify([host, username, password, repositoriesUnder]))
    .digest();
  return createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: "der", type: "pkcs8" });
}

const publicHalf = (key: KeyObject): Buffer =>
  Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url");
