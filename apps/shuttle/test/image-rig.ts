import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { chmod, cp, mkdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { dockerEngine } from "@starform/buildkit/engine";

const run = promisify(execFile);

/** Lays out what a distroless image of Node has: the program at its place, its libraries, whom to trust, and no shell. */
export async function importNodeBase(socketPath: string, dir: string): Promise<string> {
  const tree = join(dir, "base");
  for (const folder of ["nodejs/bin", "etc/ssl/certs", "tmp", "proc", "sys", "dev"])
    await mkdir(join(tree, folder), { recursive: true });
  await chmod(join(tree, "tmp"), 0o1777);
  await cp(process.execPath, join(tree, "nodejs/bin/node"), { dereference: true });
  const { stdout } = await run("ldd", [process.execPath]);
  const libraries = [...stdout.matchAll(/(\/\S+)\s+\(0x/g)].map(([, library]) => library ?? "");
  await run("cp", ["-L", "--parents", ...libraries, tree]);
  await writeFile(join(tree, "etc/passwd"), "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n");
  const tar = join(dir, "base.tar");
  await run("tar", ["-C", tree, "--owner=0", "--group=0", "-cf", tar, "."]);
  await dockerEngine(socketPath).importImage(createReadStream(tar), { repo: "node-base", tag: "test" });
  return "node-base:test";
}

/** The few calls of a Docker Engine's API that running an image takes. */
export function containers(socketPath: string) {
  const call = (method: string, path: string, body?: unknown): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { "content-type": "application/json" };
      const asked = request({ socketPath, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.once("error", reject).once("end", () => {
          if ((response.statusCode ?? 500) < 400) resolve(text);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      asked.once("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  const json = async <T>(...asked: Parameters<typeof call>) => JSON.parse(await call(...asked)) as T;
  return {
    config: async (image: string) =>
      (
        await json<{
          Config: {
            User: string;
            Entrypoint: string[];
            ExposedPorts: object;
            Labels: Record<string, string>;
          };
        }>("GET", `/images/${encodeURIComponent(image)}/json`)
      ).Config,
    /** Starts it as deploy/cluster runs it: nothing may be written but what is mounted, and no right is given. */
    async start(image: string, env: Record<string, string>, binds: readonly string[]): Promise<string> {
      const { Id } = await json<{ Id: string }>("POST", "/containers/create", {
        Image: image,
        Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        HostConfig: {
          NetworkMode: "host",
          ReadonlyRootfs: true,
          CapDrop: ["ALL"],
          SecurityOpt: ["no-new-privileges"],
          Binds: binds,
          Tmpfs: {
            "/tmp": "size=64m,mode=1777",
            "/var/lib/starform": "size=64m,uid=65532,gid=65532,mode=0770",
          },
        },
      });
      await call("POST", `/containers/${Id}/start`);
      return Id;
    },
    async exec(id: string, command: readonly string[], env: Record<string, string> = {}): Promise<string> {
      const { Id } = await json<{ Id: string }>("POST", `/containers/${id}/exec`, {
        Cmd: command,
        AttachStdout: true,
        AttachStderr: true,
        Tty: true,
        Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      });
      return call("POST", `/exec/${Id}/start`, { Detach: false, Tty: true });
    },
    pidOf: async (id: string) =>
      (await json<{ State: { Pid: number } }>("GET", `/containers/${id}/json`)).State.Pid,
    logs: (id: string) => call("GET", `/containers/${id}/logs?stdout=1&stderr=1`),
    /** Answers its exit code; it is told to stop first, and has ten seconds. */
    async stop(id: string): Promise<number> {
      await call("POST", `/containers/${id}/stop?t=10`);
      return (await json<{ State: { ExitCode: number } }>("GET", `/containers/${id}/json`)).State.ExitCode;
    },
  };
}
