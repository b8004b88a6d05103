export type GitSignIn = { readonly username: string; readonly password: string };

/**
 * The settings that make git sign in to the host of an address and to no other, as an environment: arguments are seen
 * by everybody on the machine. It follows no redirection then, which would take the secret along.
 */
export async function signInFor(
  address: string,
  find: (host: string) => Promise<GitSignIn | undefined> | undefined,
): Promise<Record<string, string>> {
  const url = URL.parse(address);
  const signIn = url?.protocol.startsWith("http") ? await find(url.host) : undefined;
  if (!url || !signIn) return {};
  const basic = Buffer.from(`${signIn.username}:${signIn.password}`).toString("base64");
  const settings = [
    [`http.${url.origin}/.extraHeader`, `Authorization: Basic ${basic}`],
    ["http.followRedirects", "false"],
  ];
  return Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(settings.length)],
    ...settings.flatMap(([name = "", value = ""], at) => [
      [`GIT_CONFIG_KEY_${at}`, name],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ]),
  ]) as Record<string, string>;
}
