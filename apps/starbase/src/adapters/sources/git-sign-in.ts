export type GitSignIn = { readonly username: string; readonly password: string };

/**
 * The settings that make git sign in to the host of an address and to no other, as an environment: arguments are seen
 * by everybody on the machine.
 */
export async function signInFor(
  address: string,
  find: (host: string) => Promise<GitSignIn | undefined> | undefined,
): Promise<Record<string, string>> {
  const url = URL.parse(address);
  const signIn = url?.protocol.startsWith("http") ? await find(url.host) : undefined;
  if (!url || !signIn) return {};
  const basic = Buffer.from(`${signIn.username}:${signIn.password}`).toString("base64");
  return {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `http.${url.origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}
