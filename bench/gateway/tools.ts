import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The programs that are compared and the load they get; all from Debian's packages. */
export type Tools = {
  readonly nginx: string;
  readonly wrk: string;
  readonly caddy: string | undefined;
  readonly env: Record<string, string>;
};

const debs = ["nginx", "wrk", "libluajit-5.1-2", "libluajit-5.1-common", "caddy"];

/**
 * Takes what is installed, and unpacks the rest from Debian's archive into `dir` without installing it: no service
 * is started, nothing outside is changed. Throws, with the way out, without nginx or wrk; goes on without Caddy.
 */
export function findTools(dir: string): Tools {
  if (!["nginx", "wrk", "caddy"].every((name) => find(name, dir))) fetchDebs(dir);
  const [nginx, wrk] = [find("nginx", dir), find("wrk", dir)];
  if (nginx === undefined || wrk === undefined)
    throw new Error(
      "this benchmark compares with nginx and loads with wrk, and they are not here: on Debian, apt-get install nginx wrk caddy",
    );
  const libraries = existsSync(join(dir, "usr/lib"))
    ? readdirSync(join(dir, "usr/lib")).map((name) => join(dir, "usr/lib", name))
    : [];
  const { PATH = "", HOME = "/" } = process.env;
  return {
    nginx,
    wrk,
    caddy: find("caddy", dir),
    env: { PATH, HOME, ...(libraries.length > 0 ? { LD_LIBRARY_PATH: libraries.join(delimiter) } : {}) },
  };
}

function find(name: string, dir: string): string | undefined {
  const places = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/sbin",
    join(dir, "usr/sbin"),
    join(dir, "usr/bin"),
  ];
  return places.map((place) => join(place, name)).find((path) => existsSync(path));
}

function fetchDebs(dir: string): void {
  mkdirSync(dir, { recursive: true });
  for (const name of debs)
    try {
      execFileSync("apt-get", ["download", "-q", name], { cwd: dir, stdio: "ignore", timeout: 120_000 });
      const file = readdirSync(dir).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith(".deb"));
      if (file) execFileSync("dpkg", ["-x", file, "."], { cwd: dir, stdio: "ignore" });
    } catch {
      continue; // Which of them matter is decided by what is found afterwards.
    }
}
