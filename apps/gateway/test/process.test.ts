import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { aClient, anApp, aRoute, at, get } from "./gateway-under-test.ts";

const program = join(import.meta.dirname, "../bin/gateway.ts");
const token = "a-token-of-the-test";

/** The gateway as a process of its own; resolves with its two ports once both listen. */
async function aProcess(dir: string) {
  writeFileSync(join(dir, "token"), `${token}\n`);
  const child = spawn(process.execPath, [program], {
    env: {
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      GATEWAY_PORT: "0",
      GATEWAY_ADMIN_PORT: "0",
      GATEWAY_ADMIN_TOKEN_FILE: join(dir, "token"),
      GATEWAY_STATE_FILE: join(dir, "routes.json"),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (bytes: Buffer) => (text += bytes));
  const match = await until("the gateway to listen", () =>
    /localhost:(\d+), admin on 127\.0\.0\.1:(\d+)/.exec(text),
  );
  return { child, port: Number(match[1]), adminPort: Number(match[2]) };
}

test("a gateway that was killed serves the same routes again, and one that is told to stop ends its requests first", async () => {
  const dir = mkdtempSync(join(tmpdir(), "gateway-"));
  const ends: (() => void)[] = [];
  await using app = await anApp((request, response) => {
    if (request.url === "/slow") ends.push(() => response.end("slow, whole"));
    else response.end("here");
  });
  const first = await aProcess(dir);
  const { status } = await fetch(`http://127.0.0.1:${first.adminPort}/routes`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ version: 7, routes: [aRoute([at(app.port)])] }),
  });
  expect(status).toBe(200);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");

  const second = await aProcess(dir);
  try {
    using client = await aClient(second.port);
    client.send(get());
    await client.sees("here");
    client.send(get("/slow"));
    await until("the slow request at the app", () => ends.length === 1);
    second.child.kill("SIGTERM");
    await until("the gateway to take no more", async () =>
      fetch(`http://127.0.0.1:${second.port}`).then(
        () => false,
        () => true,
      ),
    );
    ends[0]?.();
    await client.sees("slow, whole");
    const [code] =
      second.child.exitCode === null ? await once(second.child, "exit") : [second.child.exitCode];
    expect(code).toBe(0);
  } finally {
    second.child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
});
