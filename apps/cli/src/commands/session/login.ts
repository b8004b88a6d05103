import { createToken, getMe, signIn, type Me } from "@starform/contract/identity";
import { isFault } from "@starform/std/fault";
import { command, optionalWord } from "../../command.ts";
import type { Context } from "../../context.ts";
import { exitCodes, ExitError, usageError } from "../../exit-error.ts";
import { findApi, signInLinkOf } from "./sign-in-link.ts";

type Flags = { token?: string };

export default command<Flags, [string?]>({
  brief: "sign in with a token or a sign-in link",
  detail:
    "Give the address of a platform, or the sign-in link that npm start and the dashboard show. A token is asked for, or read from standard input, so that it stays out of the shell's history.",
  flags: {
    token: {
      kind: "parsed",
      parse: String,
      inferEmpty: true,
      optional: true,
      placeholder: "token",
      brief: "sign in with an API token; without a value it is asked for",
    },
  },
  positional: {
    kind: "tuple",
    parameters: [optionalWord("url", "the platform's address, or a sign-in link")],
  },
  async run(context, flags, address) {
    // `--token http://…` is the flag without a value, followed by the address.
    const isUrl = flags.token !== undefined && /^https?:\/\//.test(flags.token);
    const place = address ?? (isUrl ? flags.token : undefined);
    const typed = isUrl ? undefined : flags.token || undefined;
    const link = place === undefined ? undefined : signInLinkOf(place);
    const url = await findApi(
      link?.url ?? context.config.url ?? context.credentials.current() ?? context.url(),
    );
    const me = link?.code
      ? await withCode(context, url, link.code)
      : await withSecret(context, url, typed ?? (await askFor(context, url)));
    context.answer({ url, user: me.user, workspaces: me.workspaces }, () => {
      const where = me.workspaces.map(({ slug }) => slug).join(", ");
      return `${context.paint("green", "✓")} signed in to ${url} as ${me.user.email}${where ? ` (${where})` : ""}`;
    });
  },
});

async function askFor({ host }: Context, url: string): Promise<string> {
  const text = host.isInputTerminal
    ? await host.ask(`Token or sign-in link for ${url}: `, { isSecret: true })
    : (await host.readInput()).trim();
  if (!text)
    throw usageError(
      "no token was given: paste one, pipe one in, or name a sign-in link (starform login <link>)",
    );
  return text;
}

/** A pasted text is a token, a link, or the code of a link. */
async function withSecret(context: Context, url: string, secret: string): Promise<Me> {
  const code = /^https?:\/\//.test(secret) ? signInLinkOf(secret).code : undefined;
  if (code) return withCode(context, url, code);
  try {
    return await keep(context, url, secret);
  } catch (error) {
    if (!isFault(error, "unauthenticated")) throw error;
    return withCode(context, url, secret).catch(() => {
      throw new ExitError(
        exitCodes.failed,
        `${url} does not know this token: it is wrong, expired or revoked. Make one with starform tokens create, or in the dashboard`,
        { cause: error },
      );
    });
  }
}

/** A link's code opens a session of minutes; the CLI takes a token of its own from it, which logout revokes. */
async function withCode(context: Context, url: string, code: string): Promise<Me> {
  const visitor = await context.api({ url, isPublic: true });
  const session = await visitor.call(signIn, { body: { code } });
  const { call } = await context.api({ url, token: session.accessToken });
  const { workspace } = context.flags;
  const { secret, id } = await call(
    createToken,
    {
      body: {
        name: `starform on ${context.host.machineName}`.slice(0, 80),
        ...(workspace ? { workspace } : {}),
      },
    },
    { idempotencyKey: crypto.randomUUID() },
  );
  return keep(context, url, secret, id);
}

async function keep(context: Context, url: string, token: string, tokenId?: string): Promise<Me> {
  const { call } = await context.api({ url, token });
  const me = await call(getMe, {});
  context.credentials.save(url, {
    token,
    email: me.user.email,
    savedAt: context.host.now().toISOString(),
    ...(tokenId ? { tokenId } : {}),
  });
  return me;
}
