import { GrpcError, grpcCode } from "./grpc-framing.ts";

/** What a registry asked for: a token of the realm, for these scopes. */
export type TokenRequest = {
  /** The registry's own. */
  readonly host: string;
  readonly realm: string;
  readonly service: string;
  readonly scopes: readonly string[];
};
export type RegistryToken = {
  readonly token: string;
  /** In seconds, from `issuedAt`. */
  readonly expiresIn: number;
  /** In seconds since 1970. */
  readonly issuedAt: number;
};

const timeoutMs = 20_000;
/** What a token is good for whose server does not say: the protocol's own default. */
const defaultSeconds = 60;

type Answer = { token?: string; access_token?: string; expires_in?: number; issued_at?: string };

/**
 * Asks a registry's token server, as Docker does. Rejects with `permissionDenied` where it refuses, else with
 * `unavailable`; no message holds the password or what was answered.
 */
export async function fetchRegistryToken(
  { host, realm, service, scopes }: TokenRequest,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<RegistryToken> {
  const url = realmOf(realm, host);
  if (service) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const headers = { authorization, "user-agent": "starform-buildkit", accept: "application/json" };
  const fail = (why: string, code: number = grpcCode.unavailable): never => {
    throw new GrpcError(code, `the token server of ${host} at ${url.origin} ${why}`);
  };
  const response = await fetch(url, {
    headers,
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: Error) => fail(`could not be asked: ${String(error.cause ?? error.message)}`));
  const text = await response.text().catch(() => "");
  if ([401, 403].includes(response.status)) fail("refuses this sign-in", grpcCode.permissionDenied);
  if (!response.ok) fail(`answered ${response.status}`);
  const { token, access_token: accessToken, expires_in: seconds, issued_at: issued } = read(text);
  const given = token || accessToken || fail("answered without a token");
  const issuedAt = Math.floor(Date.parse(issued ?? "") / 1_000) || Math.floor(Date.now() / 1_000);
  return { token: given, expiresIn: seconds || defaultSeconds, issuedAt };
}

/** Credentials travel in the clear only to where they are used in the clear, and never to a loopback from elsewhere. */
function realmOf(realm: string, host: string): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const own = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : "";
  const isSame = url?.hostname === own || (isLoopback(url?.hostname) && isLoopback(own));
  if (
    url &&
    (url.protocol === "https:" ? !isLoopback(url.hostname) || isSame : url.protocol === "http:" && isSame)
  )
    return url;
  throw new GrpcError(
    grpcCode.permissionDenied,
    `the registry ${host} asks for tokens of ${JSON.stringify(realm)}, where its credentials are not sent: use HTTPS`,
  );
}

const isLoopback = (hostname = ""): boolean => /^(127(\.\d+){3}|localhost|\[::1\])$/.test(hostname);

function read(text: string): Answer {
  try {
    const answer = JSON.parse(text) as Answer | null;
    return answer && typeof answer === "object" ? answer : {};
  } catch {
    return {};
  }
}
