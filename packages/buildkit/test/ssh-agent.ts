import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";

/** A real ssh-agent with one key of this comment. */
export async function openSshAgent(comment: string): Promise<{ socket: string } & AsyncDisposable> {
  const dir = mkdtempSync(join(tmpdir(), "starform-agent-"));
  const [socket, key] = [join(dir, "socket"), join(dir, "key")];
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  const ended = once(agent, "exit");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", key]);
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  await until("the agent takes the key", () => {
    execFileSync("ssh-add", ["-q", key], { env, stdio: "pipe" });
    return true;
  });
  return {
    socket,
    async [Symbol.asyncDispose]() {
      agent.kill();
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A program for a build step: asks the agent which keys it has, and prints what it answered as text. */
export const askAgent = `
const socket = require("net").connect(process.env.SSH_AUTH_SOCK, () => socket.write(Buffer.from([0, 0, 0, 1, 11])));
socket.on("data", (bytes) => { console.log(bytes.toString("latin1").replace(/[^ -~]/g, "")); socket.end(); });
`;
