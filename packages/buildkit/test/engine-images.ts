import { request } from "node:http";

type Answer = { status: number; body: Buffer };

/** What tests ask a Docker Engine about the images that were built in it. */
export const engineImages = (socketPath: string) => {
  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { "Content-Type": "application/json" };
      const asked = request({ socketPath, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
        response.on("error", reject);
      });
      asked.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  const json = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await call(method, path, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`);
    return JSON.parse(answer.body.toString() || "null") as T;
  };
  return {
    /** Everything that is stored of the image: config, history, uncompressed layers. */
    bytes: async (image: string): Promise<Buffer> => (await call("GET", `/images/${image}/get`)).body,
    history: (image: string) => json<unknown[]>("GET", `/images/${image}/history`),
    /** How often a name was taken off an image so far. */
    async untagged(): Promise<number> {
      const filters = encodeURIComponent(JSON.stringify({ type: ["image"], event: ["untag"] }));
      const { body } = await call("GET", `/events?since=0&until=${Date.now() / 1_000}&filters=${filters}`);
      return body.toString().split("\n").filter(Boolean).length;
    },
    has: async (image: string) => (await call("GET", `/images/${image}/json`)).status === 200,
    config: async (image: string) => {
      const found = await json<{
        Config: { Env: string[]; Cmd: string[]; Entrypoint: string[] | null; WorkingDir: string };
      }>("GET", `/images/${image}/json`);
      return found.Config;
    },
    /** Runs the image (or another command in it) to its end; what it printed. */
    async output(image: string, command?: string[]): Promise<string> {
      const asked = {
        Image: image,
        Tty: true,
        ...(command && { Entrypoint: command }),
        HostConfig: { NetworkMode: "none" },
      };
      const { Id } = await json<{ Id: string }>("POST", "/containers/create", asked);
      await json("POST", `/containers/${Id}/start`);
      await json("POST", `/containers/${Id}/wait`);
      const { body } = await call("GET", `/containers/${Id}/logs?stdout=1&stderr=1`);
      await call("DELETE", `/containers/${Id}?force=1`);
      return body.toString().replaceAll("\r\n", "\n");
    },
  };
};
