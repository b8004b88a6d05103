import { client, streamItems, type ClientOptions } from "@starform/client/client";
import { nodeRequest } from "@starform/client/node-request";
import type { Api } from "./context.ts";
import { version } from "./version.ts";

/** The platform's API for one run of the command: every call ends when the person interrupts. */
export function openApi({
  url,
  token,
  signal,
}: {
  url: string;
  token: string | undefined;
  signal: AbortSignal;
}): Api {
  const options: ClientOptions = {
    url,
    token: () => token,
    agent: `starform-cli/${version}`,
    transport: nodeRequest,
  };
  const call = client(options);
  return {
    url,
    call: (route, input, callOptions = {}) =>
      call(route, input, { ...callOptions, signal: callOptions.signal ?? signal }),
    // Signs of life come every few seconds; a minute of nothing is a connection that died without saying so.
    stream: (route, input, callOptions) =>
      streamItems(options, route, input, { ...callOptions, idleMs: 60_000 }),
  };
}
