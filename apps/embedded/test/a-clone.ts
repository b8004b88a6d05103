import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Programs that stand for the real ones: each answers on its port, and the API makes sign-in links. */
const standIn = (port: string, prefix: string) => `
  import { createServer } from "node:http";
  const server = createServer((request, response) => {
    if (request.url === "/v1/auth/login-links") {
      const body = { url: "http://localhost/sign-in?token=once", code: "once", expiresAt: new Date().toISOString() };
      response.writeHead(request.headers.authorization?.startsWith("Bearer sf_") ? 201 : 401, { "content-type": "application/json" });
      return response.end(JSON.stringify(body));
    }
    response.end(JSON.stringify(Object.keys(process.env).filter((name) => name.startsWith("${prefix}"))));
  });
  server.listen(Number((process.env.${port} ?? "").split(":").at(-1)), "127.0.0.1");
  process.on("SIGTERM", () => process.exit(0));`;

const programs: Record<string, string> = {
  "apps/telemetry/bin/telemetry.ts": standIn("TELEMETRY_PORT", "TELEMETRY_"),
  "apps/starbase/bin/api.ts": standIn("STARBASE_PORT", "STARBASE_"),
  "apps/starbase/bin/worker.ts": standIn("STARBASE_WORKER_PORT", "STARBASE_"),
  "apps/gateway/bin/gateway.ts": standIn("GATEWAY_ADMIN_PORT", "GATEWAY_"),
  "apps/shuttle/bin/shuttle.ts": standIn("STARFORM_METRICS_ADDR", "STARFORM_"),
};

/** A folder that looks like a clone to the set-up, with stand-ins for the processes; gone at the end. */
export function aClone() {
  const root = mkdtempSync(join(tmpdir(), "starform-clone-"));
  for (const [path, source] of Object.entries(programs)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), source);
  }
  return {
    root,
    dataDir: join(root, "data"),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Runs one of the three commands as npm would, from another folder; answers what it said and its exit code. */
export async function command(name: "start" | "stop" | "status", root: string, ...args: string[]) {
  const source = `const { ${name}Command: run } = await import(${JSON.stringify(fileURLToPath(new URL(`../src/commands/${name}.ts`, import.meta.url)))});
    const args = ${JSON.stringify(args)};
    process.exitCode = await (run.length === 3 ? run(args, process.env, ${JSON.stringify(root)}) : run(args, ${JSON.stringify(root)}));`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
    cwd: root,
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      DOCKER_HOST: process.env["DOCKER_HOST"],
      DATABASE_URL: process.env["DATABASE_URL"],
    },
  });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", (chunk: Buffer) => (said[stream] += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { ...said, code };
}
