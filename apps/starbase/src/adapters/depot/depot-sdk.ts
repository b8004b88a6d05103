export type DepotSdk = (typeof import("@depot/sdk-node"))["depot"];

let opened: { readonly apiUrl: string; readonly sdk: Promise<typeof import("@depot/sdk-node")> } | undefined;

/**
 * The vendor's SDK for one address. It takes the address from the environment at the moment it is loaded, and there is
 * no other way to tell it: so a process can speak to one Depot only. Rejects when asked for a second.
 */
export async function openDepotSdk(
  apiUrl: string,
): Promise<{ readonly depot: DepotSdk; codeOf(error: unknown): string }> {
  if (opened && opened.apiUrl !== apiUrl)
    throw new Error(
      `this process speaks to Depot at ${opened.apiUrl} already, and its SDK knows only one address`,
    );
  if (!opened) {
    process.env["DEPOT_API_URL"] = apiUrl;
    opened = { apiUrl, sdk: import("@depot/sdk-node") };
  }
  return { depot: (await opened.sdk).depot, codeOf };
}

/** Connect's codes by their numbers, which are gRPC's. */
const codes = [
  "ok",
  "canceled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
] as const;

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return (typeof code === "number" && codes[code]) || "unknown";
}
