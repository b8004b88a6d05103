/**
 * A frontend as Railpack's image is one, small: BuildKit starts it in a container and speaks to it over its standard
 * streams. It reads the plan that came with the build, runs the commands of its steps on the source, and writes what
 * it was told into the image.
 */
import { Duplex } from "node:stream";
import { runFrontend } from "../../src/gateway.ts";
import { grpcChannel } from "../../src/grpc-client.ts";
import { define, exec, files, image, local } from "../../src/llb.ts";
import type { Plan } from "../../src/plan.ts";

const options = Object.fromEntries(
  Object.entries(process.env)
    .filter(([name]) => name.startsWith("BUILDKIT_FRONTEND_OPT_"))
    .map(([, text = ""]) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]),
);
const session = process.env["BUILDKIT_SESSION_ID"] ?? "";
const channel = await grpcChannel(Duplex.from({ readable: process.stdin, writable: process.stdout }));
await runFrontend(
  channel,
  { ref: "", session },
  async (bridge) => {
    const folder = await bridge.solve(define(local("dockerfile", session)));
    const text = Buffer.from(await bridge.readFile(folder, `/${options["filename"]}`)).toString();
    const plan = JSON.parse(text) as Plan;
    const base = image(plan.deploy.base?.image ?? "");
    const data = `${JSON.stringify({ options, secrets: plan.secrets })}\n`;
    let tree = files(
      base,
      [
        { mkdir: { path: "/app" } },
        { copy: { from: local("context", session), src: "/", dest: "/app" } },
        { mkfile: { path: "/app/told.json", data } },
      ],
      "copy the source",
    );
    for (const { name, commands = [] } of plan.steps ?? [])
      for (const { cmd } of commands)
        if (cmd !== undefined)
          tree = exec({
            base: tree,
            cwd: "/app",
            env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
            args: ["/bin/sh", "-c", cmd],
            name: `${name}: ${cmd}`,
            secrets: (plan.secrets ?? []).map((id) => ({ id, path: `/run/secrets/${id}` })),
          });
    const config = { WorkingDir: "/app", Cmd: ["sh", "-c", plan.deploy.startCommand ?? ""] };
    return {
      ref: await bridge.solve(define(tree)),
      config: { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, config },
    };
  },
  new AbortController().signal,
);
process.exit(0);
