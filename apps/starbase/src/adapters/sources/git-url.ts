import { Fault } from "@starform/std/fault";

/**
 * Checks an address that code is fetched from. Only https (http on this machine itself), and `file:` where the
 * installation allows it: everything else either needs a key that nobody gave us or lets git run programs.
 */
export function checkGitUrl(url: string, options: { isFileAllowed: boolean }): void {
  if (/^(ssh:|git@|[\w.-]+@[\w.-]+:)/.test(url))
    throw new Fault(
      "invalid",
      `${withoutCredentials(url)} is an ssh address, and Starform has no key for it: use the repository's https address`,
    );
  const parsed = URL.parse(url);
  const isLocal = parsed !== null && ["localhost", "127.0.0.1", "[::1]"].includes(parsed.hostname);
  if (parsed?.protocol === "https:" || (parsed?.protocol === "http:" && isLocal)) return;
  if (parsed?.protocol === "file:" && options.isFileAllowed) return;
  const why =
    parsed?.protocol === "file:"
      ? "folders of this machine may not be read on this installation"
      : parsed?.protocol === "http:"
        ? "http is not encrypted, and anyone on the way could change the code"
        : "it is not the address of a Git repository";
  throw new Fault(
    "invalid",
    `code cannot be fetched from ${withoutCredentials(url)}: ${why}; use an address that begins with https://`,
  );
}

/** The address, or any text with addresses, as it may be shown. */
export const withoutCredentials = (text: string): string =>
  text.replaceAll(/(\w+:\/\/)[^/\s@'"]+@/g, "$1***@");
