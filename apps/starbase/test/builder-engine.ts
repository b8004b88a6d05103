import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ensureBaseImages, type BaseImages } from "@starform/buildkit/base-images";
import { buildDockerfile } from "@starform/buildkit/build-dockerfile";
import { openBuildKit } from "@starform/buildkit/client";
import { dockerEngine } from "@starform/buildkit/engine";
import { dockerTransport } from "@starform/buildkit/transport";

const run = promisify(execFile);

/** What tests of builders ask of the Docker Engine that they build in. */
export function builderEngine(socketPath: string) {
  const call = (
    method: string,
    url: string,
    { body, auth }: { body?: unknown; auth?: object } = {},
  ): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const headers = {
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...(auth && { "X-Registry-Auth": Buffer.from(JSON.stringify(auth)).toString("base64url") }),
      };
      const asked = request({ socketPath, method, path: url, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
        response.on("end", () => {
          const answer = Buffer.concat(chunks);
          if ((response.statusCode ?? 500) < 400) resolve(answer);
          else reject(new Error(`${method} ${url}: ${response.statusCode} ${answer.toString()}`));
        });
      });
      asked.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  const json = async <T>(...asked: Parameters<typeof call>): Promise<T> =>
    JSON.parse((await call(...asked)).toString()) as T;

  return {
    /** The images that plans start from, the suite's own under the name `base`. */
    async prepareBases(cacheDir: string): Promise<BaseImages> {
      const nodeVersion = process.versions.node;
      const options = { cacheDir, nodeVersion, form: "host", log: () => undefined } as const;
      const bases = await ensureBaseImages(socketPath, options);
      await call("POST", `/images/${encodeURIComponent(bases.builder)}/tag?repo=base&tag=latest`);
      return bases;
    },
    /** A base of a few megabytes, for builds that are pushed whole: a shell, and what the suite's commands call. */
    async prepareSmallBase(dir: string): Promise<BaseImages> {
      const root = path.join(dir, "root");
      await mkdir(path.join(root, "bin"), { recursive: true });
      const programs = ["sh", "cat", "date", "head", "sleep"].map((name) => `/bin/${name}`);
      const { stdout } = await run("ldd", programs);
      const libraries = new Set([...stdout.matchAll(/(\/\S+)\s+\(0x/g)].map(([, library]) => library ?? ""));
      await run("cp", ["-L", "--parents", ...programs, ...libraries, root]);
      await run("tar", ["-C", root, "-cf", path.join(dir, "base.tar"), "."]);
      const base = { repo: "base", tag: "latest" };
      await dockerEngine(socketPath).importImage(createReadStream(path.join(dir, "base.tar")), base);
      return { builder: "base:latest", runtime: "base:latest" };
    },
    async imagesOf(repository: string): Promise<string[]> {
      const filters = encodeURIComponent(JSON.stringify({ reference: [repository] }));
      return (await json<{ Id: string }[]>("GET", `/images/json?filters=${filters}`)).map(({ Id }) => Id);
    },
    /** What a command in the image prints. */
    async printed(image: string, command: readonly string[]): Promise<string> {
      const asked = { Image: image, Tty: true, Entrypoint: command, HostConfig: { NetworkMode: "none" } };
      const { Id } = await json<{ Id: string }>("POST", "/containers/create", { body: asked });
      await call("POST", `/containers/${Id}/start`);
      await call("POST", `/containers/${Id}/wait`);
      const printed = await call("GET", `/containers/${Id}/logs?stdout=1&stderr=1`);
      await call("DELETE", `/containers/${Id}?force=1`);
      return printed.toString().replaceAll("\r\n", "\n");
    },
    /** Builds and pushes to a registry that asks nobody who they are; the image's name there. */
    async publicImage(host: string, dockerfile: string): Promise<string> {
      await using client = await openBuildKit(dockerTransport(socketPath));
      const contextDir = await mkdtemp(path.join(tmpdir(), "public-image-"));
      const name = `${host}/public/${randomUUID()}:1`;
      await writeFile(path.join(contextDir, "Dockerfile"), dockerfile);
      const pushed = { tags: [name], push: true, insecureRegistry: true };
      await buildDockerfile(client, { contextDir, dockerfilePath: "Dockerfile", ...pushed });
      await rm(contextDir, { recursive: true });
      return name;
    },
    /** Pushes an image to a registry that asks nobody who they are. */
    async push(image: string, { repo, tag }: { readonly repo: string; readonly tag: string }): Promise<void> {
      await call(
        "POST",
        `/images/${encodeURIComponent(image)}/tag?repo=${encodeURIComponent(repo)}&tag=${tag}`,
      );
      const said = (await call("POST", `/images/${repo}/push?tag=${tag}`, { auth: {} })).toString();
      if (said.includes('"error"')) throw new Error(`${image} could not be pushed: ${said}`);
    },
    async pull(
      image: string,
      auth: { serveraddress: string; username: string; password: string },
    ): Promise<void> {
      const said = (
        await call("POST", `/images/create?fromImage=${encodeURIComponent(image)}`, { auth })
      ).toString();
      if (said.includes('"error"')) throw new Error(`${image} could not be pulled: ${said}`);
    },
  };
}

/** Whether any file below the folder holds the text: layers, configs, histories, caches of steps. */
export const holdsText = (dir: string, text: string): Promise<boolean> =>
  run("grep", ["-rqsF", "-D", "skip", "--", text, dir]).then(
    () => true,
    () => false,
  );

/** Of every process of this machine. */
export async function commandLines(): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    pids.map((pid) =>
      readFile(`/proc/${pid}/cmdline`, "utf8").then(
        (text) => text.replaceAll("\0", " "),
        () => "",
      ),
    ),
  );
}
