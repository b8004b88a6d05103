import type { StatusReport } from "@starform/contract/clusters";

export type PhaseInput = {
  readonly replicas: number;
  /** Ready ones of the wanted kind, and of any other. */
  readonly ready: number;
  readonly readyOthers: number;
  /** Whether what should run was ever wholly ready. */
  readonly isProven: boolean;
  readonly hasFailed: boolean;
  /** Replicas that wait after a crash. */
  readonly crashed: number;
};

/** One word for what a service does now. */
export function phaseOf(input: PhaseInput): StatusReport["phase"] {
  if (input.hasFailed) return "failed";
  if (input.replicas === 0) return "stopped";
  if (input.ready >= input.replicas) return input.readyOthers > 0 && !input.isProven ? "starting" : "running";
  if (!input.isProven || input.crashed === 0) return "starting";
  return input.ready > 0 ? "degraded" : "crashed";
}
