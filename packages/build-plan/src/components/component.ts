/** A package that an app is made of, as a lock file states it. */
export type Component = {
  /** Its type in a package URL: `npm`, `pypi`, `golang` … */
  readonly ecosystem: string;
  /** As its registry writes it, scope or group included: `@types/node`, `org.slf4j:slf4j-api`. */
  readonly name: string;
  readonly version: string;
  /** Of its archive, where the lock file holds one. */
  readonly hash?: { readonly algorithm: HashAlgorithm; readonly hex: string };
  /** Only for building and testing. */
  readonly isDevelopment?: boolean;
};
export type HashAlgorithm = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";

/**
 * Reads the components out of the text of a lock file; undefined where it does not hold them, and another file does.
 * Throws where the text is not what its name says.
 */
export type LockReader = (text: string) => Component[] | undefined;

/** The package URL, by which components are known everywhere: `pkg:npm/%40types/node@24.1.0`. */
export function packageUrl({ ecosystem, name, version }: Component): string {
  const path = name.replace(ecosystem === "maven" ? ":" : /$^/, "/");
  return `pkg:${ecosystem}/${path.split("/").map(encodeURIComponent).join("/")}@${encodeURIComponent(version)}`;
}

/** `sha512-<base64>`, as npm and its kin write it. Only the first of several counts. */
export function integrityHash(text: unknown): Pick<Component, "hash"> {
  const match =
    typeof text === "string" ? /^(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/]+=*)/.exec(text) : null;
  if (!match) return {};
  const [, short, base64] = match as unknown as [string, string, string];
  const algorithm = `SHA-${short.slice(3)}` as HashAlgorithm;
  return { hash: { algorithm, hex: Buffer.from(base64, "base64").toString("hex") } };
}

/** A hash that is written as hexadecimal digits of the right length. */
export const hexHash = (algorithm: HashAlgorithm, hex: unknown): Pick<Component, "hash"> =>
  typeof hex === "string" && /^[0-9a-f]{40,128}$/.test(hex) ? { hash: { algorithm, hex } } : {};

/** What is no component because the lock file was not written as it should be. */
export const isNamed = ({ name, version }: Component): boolean => name !== "" && version !== "";

export const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
export const asText = (value: unknown): string => (typeof value === "string" ? value : "");
export const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
