import { spawn } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "@starform/std/fault";
import type { RunAs } from "./run-as.ts";

/**
 * Makes a cluster with user and database `starform` at `dir`, unless there is one. It is made beside and moved into
 * place, so a start that was cut off leaves no half cluster. An undefined password means that everybody on loopback
 * is let in (tests).
 */
export async function initCluster(
  runAs: RunAs,
  dir: string,
  password: string | undefined,
  options: { isThrowAway: boolean },
): Promise<void> {
  if (existsSync(join(dir, "PG_VERSION"))) return;
  const draft = `${dir}.making`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  runAs.own(draft);
  const passwordFile = join(dirname(dir), `.postgres-password-${process.pid}`);
  try {
    if (password) {
      writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
      runAs.own(passwordFile);
    }
    await run(runAs, "initdb", [
      `--pgdata=${draft}`,
      "--username=starform",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      ...(password ? ["--auth=scram-sha-256", `--pwfile=${passwordFile}`] : ["--auth=trust"]),
      ...(options.isThrowAway ? ["--no-sync"] : []),
    ]);
    await run(runAs, "postgres", ["--single", "-D", draft, "postgres"], "CREATE DATABASE starform;\n");
    renameSync(draft, dir);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(draft, { recursive: true, force: true });
  }
}

function run(runAs: RunAs, program: string, args: string[], input = ""): Promise<void> {
  const [file, ...words] = [...runAs.prefix, join(runAs.bin, program), ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(file ?? "", words, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], LC_ALL: "C" },
      ...(runAs.uid === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }),
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
    child.stdin.on("error", () => undefined).end(input);
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0
        ? resolve()
        : reject(
            new Fault(
              "unavailable",
              `PostgreSQL's ${program} failed (exit ${code}): ${said.trim().split("\n").at(-1)}`,
              { detail: { said } },
            ),
          ),
    );
  });
}
