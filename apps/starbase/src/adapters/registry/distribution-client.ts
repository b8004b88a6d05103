import { request as plainRequest, type IncomingHttpHeaders } from "node:http";
import { request as secureRequest } from "node:https";
import { isIP } from "node:net";
import { challengeIn, tokenUrl } from "./challenge.ts";
import { isPublicAddress, notPublic, publicLookup } from "./public-lookup.ts";

export type DistributionAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};
export type DistributionRequest = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal;
};
export type DistributionOptions = {
  /** `https://registry.example`, or `http://127.0.0.1:5000` for one of this machine. */
  readonly origin: string;
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
  /** Instead of credentials: a token that is known to be good. */
  readonly token?: string;
  /** Refuses hosts that do not lie in the public network: for those that customers name. */
  readonly isPublicOnly?: boolean;
  readonly timeoutMs?: number;
};

const bodyBytesMax = 4 * 2 ** 20;

/**
 * Speaks the OCI distribution protocol to one registry, and to the token server that it names. Rejects when either
 * cannot be reached or answers nothing within `timeoutMs` (20 s); what it answers is the caller's to judge.
 */
export function distributionClient(options: DistributionOptions) {
  return {
    async call(method: string, path: string, asked: DistributionRequest = {}): Promise<DistributionAnswer> {
      const url = new URL(path, options.origin);
      const once = (authorization: string | undefined) =>
        send(options, method, url, {
          ...asked,
          headers: { ...asked.headers, ...(authorization ? { authorization } : {}) },
        });
      const first = await once(options.token && `Bearer ${options.token}`);
      if (first.status !== 401 || options.token) return first;
      const authorization = await answerTo(options, first.headers["www-authenticate"]);
      return authorization ? once(authorization) : first;
    },
  };
}
export type DistributionClient = ReturnType<typeof distributionClient>;

/** What to send after a refusal; undefined where nothing can be done about it. */
async function answerTo(
  options: DistributionOptions,
  header: string | undefined,
): Promise<string | undefined> {
  const challenge = challengeIn(header);
  const { credentials } = options;
  const basic =
    credentials &&
    `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
  if (challenge?.scheme === "basic") return basic;
  const url = challenge && tokenUrl(challenge, options.origin);
  if (!url) return undefined;
  const { status, body } = await send(options, "GET", url, {
    headers: basic ? { authorization: basic } : {},
  });
  if (status !== 200) return undefined;
  const { token, access_token } = JSON.parse(body) as { token?: string; access_token?: string };
  return `Bearer ${token ?? access_token ?? ""}`;
}

function send(
  { isPublicOnly = false, timeoutMs = 20_000 }: DistributionOptions,
  method: string,
  url: URL,
  { headers = {}, body, signal }: DistributionRequest,
): Promise<DistributionAnswer> {
  const request = url.protocol === "https:" ? secureRequest : plainRequest;
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  if (isPublicOnly && isIP(literal) > 0 && !isPublicAddress(literal))
    return Promise.reject(notPublic(literal));
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.timeout(timeoutMs);
    const sent = request(
      url,
      {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        agent: false,
        ...(isPublicOnly ? { lookup: publicLookup } : {}),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > bodyBytesMax) response.destroy(new Error(`${url.host} answered more than 4 MiB`));
          else chunks.push(chunk);
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    sent.on("error", (error) =>
      reject(limit.aborted ? new Error(`${url.host} did not answer in ${timeoutMs / 1_000} s`) : error),
    );
    sent.end(body);
  });
}
