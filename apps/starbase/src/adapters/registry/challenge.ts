/** What a registry asks for in `WWW-Authenticate`. */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service?: string; readonly scope?: string };

/** The first challenge of the header that can be answered; undefined where there is none. */
export function challengeIn(header: string | undefined): Challenge | undefined {
  const [, scheme = "", rest = ""] = /^\s*(basic|bearer)\b(.*)$/is.exec(header ?? "") ?? [];
  if (scheme.toLowerCase() === "basic") return { scheme: "basic" };
  if (scheme.toLowerCase() !== "bearer") return undefined;
  const fields = Object.fromEntries(
    [...rest.matchAll(/([a-z]+)\s*=\s*"((?:[^"\\]|\\.)*)"/gi)].map(([, name = "", value = ""]) => [
      name.toLowerCase(),
      value.replace(/\\(.)/g, "$1"),
    ]),
  );
  const { realm, service, scope } = fields;
  return realm
    ? { scheme: "bearer", realm, ...(service ? { service } : {}), ...(scope ? { scope } : {}) }
    : undefined;
}

/**
 * Where the token is to be had. Credentials are sent there, so it must be as safe as the registry itself: plain HTTP
 * only for a registry that is asked in plain HTTP.
 */
export function tokenUrl(challenge: Challenge, origin: string): URL | undefined {
  if (challenge.scheme !== "bearer") return undefined;
  const url = URL.parse(challenge.realm);
  const isPlain = new URL(origin).protocol === "http:";
  if (!url || !(url.protocol === "https:" || (isPlain && url.protocol === "http:"))) return undefined;
  if (challenge.service) url.searchParams.append("service", challenge.service);
  for (const scope of challenge.scope?.split(" ") ?? []) url.searchParams.append("scope", scope);
  return url;
}
