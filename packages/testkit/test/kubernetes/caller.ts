type Body = Record<string, unknown>;
export type Answer = { readonly status: number; readonly body: Body; readonly headers: Headers };
type Extra = Readonly<Record<string, string>>;

/** Calls an API server as the administrator, the way curl would. */
export type Caller = {
  get(path: string, headers?: Extra): Promise<Answer>;
  post(path: string, body: unknown, headers?: Extra): Promise<Answer>;
  put(path: string, body: unknown): Promise<Answer>;
  patch(path: string, body: unknown, type: string): Promise<Answer>;
  apply(path: string, body: unknown, manager: string, force?: boolean): Promise<Answer>;
  delete(path: string, body?: unknown): Promise<Answer>;
  watch(path: string): AsyncIterable<Body>;
  request(method: string, path: string, body?: unknown, headers?: Extra): Promise<Answer>;
};

export function callerOf(url: string, token = "admin"): Caller {
  const authorization = `Bearer ${token}`;
  const request: Caller["request"] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization,
        accept: "application/json",
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return {
      status: response.status,
      body: (isJson ? JSON.parse(text) : { text }) as Body,
      headers: response.headers,
    };
  };
  return {
    request,
    get: (path, headers) => request("GET", path, undefined, headers),
    post: (path, body, headers) => request("POST", path, body, headers),
    put: (path, body) => request("PUT", path, body),
    patch: (path, body, type) => request("PATCH", path, body, { "content-type": type }),
    apply: (path, body, manager, force = false) =>
      request(
        "PATCH",
        `${path}?fieldManager=${manager}&fieldValidation=Strict${force ? "&force=true" : ""}`,
        body,
        { "content-type": "application/apply-patch+yaml" },
      ),
    delete: (path, body) => request("DELETE", path, body),
    watch: (path) => watchLines(`${url}${path}`, authorization),
  };
}

async function* watchLines(url: string, authorization: string): AsyncGenerator<Body> {
  const stop = new AbortController();
  try {
    const response = await fetch(url, { headers: { authorization }, signal: stop.signal });
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of response.body ?? []) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line) as Body;
    }
  } finally {
    stop.abort();
  }
}
