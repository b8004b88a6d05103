import { client } from "@starform/client/client";
import { refreshSession, signIn, signOut } from "@starform/contract/identity";
import { readConfig } from "../config.ts";
import { holdSession, type HeldSession } from "./session-cookie.ts";
import { sessionKeeper, type SessionKeeper } from "./session-keeper.ts";

const api = (token?: string) =>
  client({
    url: readConfig(process.env).apiUrl,
    agent: "stardeck",
    timeoutMs: 10_000,
    ...(token ? { token: () => token } : {}),
  });

/** Opens a session with the code of a sign-in link or an API token. */
export const openSession = async (code: string): Promise<HeldSession> =>
  holdSession(await api()(signIn, { body: { code } }));

export const endSession = async (held: HeldSession): Promise<void> => {
  await api((await keeper().fresh(held)).access)(signOut, {});
};

const place = Symbol.for("starform.stardeck.session-keeper");
type Global = { [place]?: SessionKeeper };

/** One for the process: the bundles of two routes are two modules. */
export const keeper = (): SessionKeeper =>
  ((globalThis as Global)[place] ??= sessionKeeper({
    now: () => Date.now(),
    refresh: async (refreshToken) => holdSession(await api()(refreshSession, { body: { refreshToken } })),
  }));
