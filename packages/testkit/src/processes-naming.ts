import { readdirSync, readFileSync } from "node:fs";

/** Command lines of this machine that hold the word; none where there is no /proc. */
export function processesNaming(word: string): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        // It ended meanwhile.
        return "";
      }
    })
    .filter((line) => line.includes(word));
}
