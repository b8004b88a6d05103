import { request } from "node:http";
import { Readable } from "node:stream";
import { dockerEngine } from "@starform/buildkit/engine";
import { tarOf } from "./tar-file.ts";

export type SignIn = { readonly host: string; readonly username: string; readonly password: string };

/** What `docker login`, `push`, `pull`, `tag`, `rmi` ask of an engine, which does the work in all of them. */
export function engineDocker(socketPath: string) {
  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request(
        {
          socketPath,
          method,
          path,
          timeout: 60_000,
          headers: { ...headers, "content-type": "application/json" },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part: string) => (text += part));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      sent.on("timeout", () => sent.destroy(new Error(`the engine did not answer ${method} ${path}`)));
      sent.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  const auth = ({ host, username, password }: SignIn): Record<string, string> => ({
    "x-registry-auth": Buffer.from(JSON.stringify({ username, password, serveraddress: host })).toString(
      "base64url",
    ),
  });
  /** The error of a stream of progress; what a person would see. */
  const streamed = async (answer: Promise<{ status: number; text: string }>): Promise<string | undefined> => {
    const { status, text } = await answer;
    const lines = text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { error?: string; message?: string });
    return lines.find(({ error }) => error)?.error ?? (status >= 400 ? lines[0]?.message : undefined);
  };
  const split = (image: string): [string, string] => {
    const colon = image.lastIndexOf(":");
    return [image.slice(0, colon), image.slice(colon + 1)];
  };
  return {
    call,
    /** The words of the refusal, or undefined. */
    login: async ({ host, username, password }: SignIn): Promise<string | undefined> => {
      const { status, text } = await call("POST", "/auth", { username, password, serveraddress: host });
      return status === 200 ? undefined : (JSON.parse(text) as { message: string }).message;
    },
    push: (image: string, signIn: SignIn) => {
      const [repo, tag] = split(image);
      return streamed(call("POST", `/images/${repo}/push?tag=${tag}`, undefined, auth(signIn)));
    },
    pull: (image: string, signIn: SignIn) =>
      streamed(
        call("POST", `/images/create?fromImage=${encodeURIComponent(image)}`, undefined, auth(signIn)),
      ),
    tag: async (source: string, image: string): Promise<void> => {
      const [repo, tag] = split(image);
      await call("POST", `/images/${encodeURIComponent(source)}/tag?repo=${repo}&tag=${tag}`);
    },
    remove: (image: string) => call("DELETE", `/images/${encodeURIComponent(image)}?force=true`),
    has: async (image: string): Promise<boolean> =>
      (await call("GET", `/images/${encodeURIComponent(image)}/json`)).status === 200,
    /** An image of one small file. */
    make: (image: string, text: string): Promise<string> => {
      const [repo, tag] = split(image);
      return dockerEngine(socketPath).importImage(Readable.from([tarOf([{ name: "hello.txt", text }])]), {
        repo,
        tag,
      });
    },
  };
}
