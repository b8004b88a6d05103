import type { Sink } from "../host.ts";

/** One line that says what is being done. On a terminal it is rewritten; elsewhere each new step is a line. */
export type Progress = {
  /** A new step, or (with the same `step`) news of the one under way. */
  say(step: string, news?: string): void;
  /** Writes other output above the line, which stays the last one. */
  above(write: () => void): void;
  /** Takes the line away: nothing is being done any more, or a question is asked. */
  end(): void;
};

export function progressOn(sink: Sink, isOn: boolean): Progress {
  let [line, lastStep] = ["", ""];
  const draw = () => {
    if (line) sink.write(`\r\u001b[K${line.slice(0, Math.max(10, (sink.columns ?? 80) - 1))}`);
  };
  const hide = () => {
    if (line) sink.write("\r\u001b[K");
  };
  return {
    say(step, news) {
      if (!isOn) return;
      if (sink.isTerminal) {
        line = `… ${step}${news ? `  ${news}` : ""}`;
        draw();
      } else if (step !== lastStep) sink.write(`${step}\n`);
      lastStep = step;
    },
    above(write) {
      hide();
      write();
      draw();
    },
    end() {
      hide();
      line = "";
    },
  };
}
