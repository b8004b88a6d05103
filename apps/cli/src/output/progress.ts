import type { Sink } from "../host.ts";

/** One line that says what is being done. On a terminal it is rewritten; elsewhere each new step is a line. */
export type Progress = {
  /** A new step, or (with the same `step`) news of the one under way. */
  say(step: string, news?: string): void;
  /** Takes the line away, so that other output does not run into it; the next `say` draws it again. */
  clear(): void;
};

export function progressOn(sink: Sink, isOn: boolean): Progress {
  let [shown, last] = [false, ""];
  const clear = () => {
    if (shown) sink.write("\r\u001b[K");
    shown = false;
  };
  return {
    clear,
    say(step, news) {
      if (!isOn) return;
      if (!sink.isTerminal) {
        if (step !== last) sink.write(`${step}\n`);
        last = step;
        return;
      }
      const line = `… ${step}${news ? `  ${news}` : ""}`;
      sink.write(`\r\u001b[K${line.slice(0, Math.max(10, (sink.columns ?? 80) - 1))}`);
      shown = true;
    },
  };
}
