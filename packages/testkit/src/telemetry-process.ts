import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@starform/std/retry";

export interface TelemetryProcess extends AsyncDisposable {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly dataDir: string;
  /** Ends the process at once, as a crash would; the port and the data stay. */
  crash(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
}

const bin = fileURLToPath(new URL("../../../apps/telemetry/bin/telemetry.ts", import.meta.url));

/** Whether this platform has the engine at all; tests of the store are skipped only where it has not. */
export function telemetryCanRun(): boolean {
  const library = `@chdb/lib-${process.platform}-${process.arch}${process.platform === "linux" ? "-gnu" : ""}`;
  try {
    createRequire(bin).resolve(`${library}/package.json`);
    return true;
  } catch {
    return false;
  }
}

/** The real telemetry process on a free port with its own data directory, gone after disposal. */
export async function telemetryProcess(
  env: Readonly<Record<string, string>> = {},
): Promise<TelemetryProcess> {
  const home = await mkdtemp(join(tmpdir(), "starform-telemetry-"));
  const [port, password] = [await freePort(), "a-password-of-tests"];
  const passwordFile = join(home, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  const dataDir = join(home, "data");
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    let words = "";
    const started = spawn(process.execPath, [bin], {
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
        TELEMETRY_PORT: String(port),
        TELEMETRY_DATA_DIR: dataDir,
        TELEMETRY_PASSWORD_FILE: passwordFile,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    started.stdout.on("data", (text) => (words += text));
    started.stderr.on("data", (text) => (words += text));
    await until(
      "telemetry to answer its ping",
      async () => {
        if (started.exitCode !== null) return true;
        return (await fetch(`${url}/ping`)).ok;
      },
      { withinMs: 60_000 },
    );
    if (started.exitCode !== null) throw new Error(`telemetry ended with ${started.exitCode}: ${words}`);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    const gone = new Promise((resolve) => ending.once("exit", resolve));
    ending.kill(signal);
    await gone;
  };

  // A test run that ends before its disposal must not leave the process behind.
  const killAtExit = (): boolean => child?.kill("SIGKILL") ?? false;
  process.once("exit", killAtExit);
  await start();
  return {
    url,
    user: "starform",
    password,
    dataDir,
    start,
    crash: () => end("SIGKILL"),
    async [Symbol.asyncDispose]() {
      await end("SIGTERM");
      process.off("exit", killAtExit);
      await rm(home, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
