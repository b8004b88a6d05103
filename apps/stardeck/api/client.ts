"use client";
import { client, streamItems, type Call, type CallOptions } from "@starform/client/client";
import { tailLogs, type LogEntry } from "@starform/contract/logs";
import type { CallInput, Route } from "@starform/contract/route";
import { isFault } from "@starform/std/fault";
import { paths } from "../paths.ts";

/** The dashboard's own server adds the session: no token is ever in the page. */
const options = () => ({ url: `${window.location.origin}/api` });

/** Calls the API; a session that has ended leads to the sign-in page and back. */
export const call: Call = async (route, input, callOptions) => {
  try {
    return await client(options())(route, input, callOptions);
  } catch (error) {
    if (isFault(error, "unauthenticated")) leaveToSignIn();
    throw error;
  }
};

export type TailInput = CallInput<typeof tailLogs>;

/** Log lines as they are written. A connection without a sign of life for half a minute counts as broken. */
export const tail = (input: TailInput, callOptions: CallOptions): AsyncGenerator<LogEntry> =>
  streamItems(options(), tailLogs, input, { idleMs: 30_000, ...callOptions });

/** What identifies an answer: the route and what it was asked with. */
export const keyOf = <R extends Route>(route: R, input: CallInput<R>): readonly unknown[] => {
  const { params, query } = input as { params?: unknown; query?: unknown };
  return [route.id, params ?? null, query ?? null];
};

function leaveToSignIn(): void {
  const { pathname, search } = window.location;
  window.location.assign(paths.signIn(pathname + search));
}
