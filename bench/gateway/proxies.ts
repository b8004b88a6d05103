import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import type { Tools } from "./tools.ts";

const root = join(import.meta.dirname, "../..");
const token = "a-token-of-the-benchmark";
const answer = "x".repeat(1_024);

/** One upstream and the proxies before it, each a process of its own on a free port of loopback. */
export type Proxies = AsyncDisposable & {
  readonly ports: { nginx: number; caddy: number | undefined; gateway: number };
};

/** Every proxy keeps its connections on both sides and works on one core; only the gateway writes access records. */
export async function startProxies(tools: Tools, dir: string): Promise<Proxies> {
  await using stack = new AsyncDisposableStack();
  const start = (command: string, args: string[], env: Record<string, string> = {}): void => {
    const child = spawn(command, args, { stdio: "ignore", env: { ...tools.env, ...env } });
    stack.defer(() => end(child));
  };

  const upstream = await freePort();
  start(tools.nginx, [
    "-p",
    dir,
    "-c",
    nginxConfig(
      dir,
      "upstream",
      `server { listen 127.0.0.1:${upstream}; location / { default_type text/plain; return 200 "${answer}"; } }`,
    ),
  ]);
  const nginx = await freePort();
  start(tools.nginx, ["-p", dir, "-c", nginxConfig(dir, "proxy", nginxProxy(nginx, upstream))]);
  const gateway = await startGateway(dir, upstream, start);

  const caddy = tools.caddy === undefined ? undefined : await freePort();
  if (tools.caddy !== undefined && caddy !== undefined) {
    const file = join(dir, "Caddyfile");
    writeFileSync(
      file,
      `{\n admin off\n auto_https off\n}\nhttp://:${caddy} {\n bind 127.0.0.1\n reverse_proxy 127.0.0.1:${upstream}\n}\n`,
    );
    start(tools.caddy, ["run", "--config", file, "--adapter", "caddyfile"], {
      GOMAXPROCS: "1",
      HOME: dir,
      XDG_DATA_HOME: dir,
      XDG_CONFIG_HOME: dir,
    });
  }
  const ports = { nginx, caddy, gateway };
  for (const [name, port] of Object.entries({ ...ports, upstream }))
    if (port !== undefined)
      await until(
        `${name} to answer`,
        async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 200,
        { withinMs: 30_000 },
      );
  const resources = stack.move();
  return { ports, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function startGateway(
  dir: string,
  upstream: number,
  start: (command: string, args: string[], env: Record<string, string>) => void,
): Promise<number> {
  const [port, admin] = [await freePort(), await freePort()];
  const file = join(dir, "token");
  writeFileSync(file, token);
  start(process.execPath, [join(root, "apps/gateway/bin/gateway.ts")], {
    GATEWAY_PORT: String(port),
    GATEWAY_ADMIN_PORT: String(admin),
    GATEWAY_ADMIN_TOKEN_FILE: file,
    GATEWAY_STATE_FILE: join(dir, "routes.json"),
    // What the records are sent to takes any POST: the upstream does.
    GATEWAY_TELEMETRY_URL: `http://127.0.0.1:${upstream}`,
    GATEWAY_BUFFER_DIR: join(dir, "lines"),
  });
  const route = {
    name: `${"a".repeat(64)}-production`,
    namespace: "proj-bench",
    hostnames: ["127.0.0.1"],
    upstreams: [{ id: "one", host: "127.0.0.1", port: upstream }],
    state: "serving",
    workspace_id: "w",
    project_id: "p",
    environment: "production",
    service_id: "s",
    service_name: "web",
  };
  const put = () =>
    fetch(`http://127.0.0.1:${admin}/routes`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ routes: [route] }),
    });
  await until("the gateway to take its routes", async () => (await put()).ok, { withinMs: 30_000 });
  return port;
}

/** Its defaults but for what makes it comparable: one worker, kept connections without an end. */
function nginxConfig(dir: string, name: string, server: string): string {
  const own = join(dir, name);
  mkdirSync(own, { recursive: true });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${own}/${kind};`)
    .join(" ");
  const file = join(own, "nginx.conf");
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${own}/pid; error_log /dev/null;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; ${temporary}
${server} }
`,
  );
  return file;
}

const nginxProxy = (port: number, upstream: number): string =>
  `upstream app { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 100000000; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } }`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await exited;
  clearTimeout(timer);
}
