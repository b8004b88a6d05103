import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isFault, wordsOf } from "./fault.ts";

/**
 * Resolves with the first of the signals to arrive, and keeps them from ending the process from then on, so that
 * what the caller holds is closed in order and the process ends because nothing is left. A second signal of the same
 * Ctrl-C (a terminal sends it to every process of the group, and parents forward it) changes nothing.
 */
export function untilSignal(...signals: NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => undefined, 2 ** 30);
    for (const signal of signals)
      process.on(signal, () => {
        clearInterval(keepAlive);
        resolve(signal);
      });
  });
}

/**
 * Runs a program to its end; never rejects. What a person can put right (a Fault, an error of the system, like a port that
 * is taken) is one sentence on stderr, anything else keeps its stack; either ends the process with exit code 1.
 */
export async function runMain(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isForPeople = isFault(error) || (error as NodeJS.ErrnoException | null)?.syscall !== undefined;
    console.error(isForPeople ? wordsOf(error) : error);
    process.exitCode = 1;
  }
}

/** Whether a process of this id exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return statOf(pid)?.state !== "Z";
}

/**
 * When the process started, in words that differ for two processes that ever had the same id (a reboot included);
 * undefined if there is none. With the id it names one process for ever, so a stored pair can be signalled safely.
 */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = statOf(pid);
    return stat && stat.state !== "Z" ? `${bootId()}:${stat.startTicks}` : undefined;
  }
  try {
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Sends a signal to a process, or to its whole group if `pid` is negative; false if there is none of that id. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

function statOf(pid: number): { state: string; startTicks: string } | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may hold spaces and brackets: the fields begin after the last one.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", startTicks: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

let boot: string | undefined;
function bootId(): string {
  try {
    boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    boot ??= "boot";
  }
  return boot;
}
