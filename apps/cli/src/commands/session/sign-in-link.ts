import { nodeRequest } from "@starform/client/node-request";
import { usageError } from "../../exit-error.ts";

/** The address of a platform, and the code where it is a sign-in link. */
export function signInLinkOf(text: string): { readonly url: string; readonly code: string | undefined } {
  const url = URL.parse(/^[\w.-]+(:\d+)?$/.test(text) ? `http://${text}` : text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw usageError(`"${text}" is no address: write it like http://127.0.0.1:4401, or paste a sign-in link`);
  const code =
    url.searchParams.get("code") ?? new URLSearchParams(url.hash.slice(1)).get("code") ?? undefined;
  return code
    ? { url: url.origin, code }
    : { url: (url.origin + url.pathname).replace(/\/+$/, ""), code: undefined };
}

/**
 * The API behind an address. A person may paste the dashboard's: then it is looked for at the same place, and (as the
 * embedded platform has it) at the port after it. This machine has one name, so that a credential is found again.
 */
export async function findApi(address: string): Promise<string> {
  const named =
    new URL(address).hostname === "localhost" ? address.replace("//localhost", "//127.0.0.1") : address;
  const candidates = [named, portAfter(named)].filter((url) => url !== undefined);
  for (const url of candidates) if (await isApi(url).catch(() => false)) return url;
  // Nobody answered as an API would: the first call will say what is wrong with the address that was given.
  return named;
}

function portAfter(address: string): string | undefined {
  const url = new URL(address);
  if (url.port === "") return undefined;
  url.port = String(Number(url.port) + 1);
  return url.origin;
}

async function isApi(url: string): Promise<boolean> {
  const answer = await nodeRequest({
    method: "GET",
    url: `${url}/v1/me`,
    headers: { accept: "application/json" },
    body: undefined,
    signal: undefined,
    timeoutMs: 5_000,
  });
  const isProblem = /json/.test(answer.headers.get("content-type") ?? "");
  await answer.text();
  return answer.status === 401 && isProblem;
}
