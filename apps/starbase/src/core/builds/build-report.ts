import type { BuildReport, BuildStep } from "@starform/contract/builds";
import type { StageName } from "@starform/contract/states";
import type { BuildFacts, BuildLogLine } from "../../ports/build-service.ts";

/** Gathers what is measured of a build while it goes on. */
export type ReportBook = {
  /** Takes note of a line that ends a step. */
  line(line: Pick<BuildLogLine, "step" | "ended">): void;
  stage(name: StageName, durationMs: number): void;
  facts(facts: Measured): void;
  report(): BuildReport;
};

type Measured = Omit<BuildFacts, "debianPackages" | "hasShell"> & { readonly imageBytes?: number };

/** A build may have no end of steps; these many are kept. */
const stepsMax = 500;
const nameCharsMax = 200;

export function reportBook(): ReportBook {
  const stages: BuildReport["stages"] = [];
  const steps: BuildStep[] = [];
  let known: Measured = {};
  return {
    line({ step, ended }) {
      if (ended && steps.length < stepsMax) steps.push({ name: step.slice(0, nameCharsMax), ...ended });
    },
    stage: (name, durationMs) => void stages.push({ name, durationMs: Math.max(0, Math.round(durationMs)) }),
    facts: (more) => void (known = { ...known, ...more }),
    report: () => {
      const { layers, ...others } = known;
      return { stages: [...stages], steps: [...steps], ...others, ...(layers && { layers: [...layers] }) };
    },
  };
}
