import { pino, type Logger } from "pino";

/** JSON lines on stdout. What could carry a secret is taken out wherever it stands. */
export const openLogger = (name: string, level: string): Logger =>
  pino({
    name,
    level,
    redact: {
      paths: [
        "authorization",
        "*.authorization",
        "token",
        "*.token",
        "secret",
        "*.secret",
        "password",
        "*.password",
        "*.variables",
      ],
      censor: "[hidden]",
    },
  });
