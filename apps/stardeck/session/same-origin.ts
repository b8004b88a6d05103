const reading = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether a request that changes something was made by this dashboard's own pages, as the browser tells it. */
export function isOwnRequest({ method, headers }: { method: string; headers: Headers }): boolean {
  if (reading.has(method)) return true;
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") return false;
  const origin = URL.parse(headers.get("origin") ?? "");
  return origin !== null && origin.host === headers.get("host");
}
