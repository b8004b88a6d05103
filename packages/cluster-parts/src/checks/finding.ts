import type { Finding } from "../examination.ts";

/** The three kinds of finding of one check. */
export const findingsOf = (check: string) => ({
  ok: (says: string): Finding => ({ check, level: "ok", says }),
  warning: (says: string, mend: string): Finding => ({ check, level: "warning", says, mend }),
  error: (says: string, mend: string): Finding => ({ check, level: "error", says, mend }),
});

export const bootstrapAgain =
  "run starform cluster bootstrap again: it puts back what is missing and changes nothing else";
