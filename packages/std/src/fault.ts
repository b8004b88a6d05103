/** The closed list of things that can go wrong and be told to a caller, with the HTTP status each has. */
export const faultCodes = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  name_taken: 409,
  idempotency_mismatch: 409,
  gone: 410,
  precondition_failed: 412,
  too_large: 413,
  invalid: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
  disk_full: 507,
} as const;
export type FaultCode = keyof typeof faultCodes;

/**
 * Something that went wrong and that a person may be told: `message` says what happened, why, and what to do
 * next; `detail` is for the operator only and never leaves the process.
 */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Where in the input it went wrong, as the caller wrote it. */
  readonly issues: readonly FaultIssue[];

  constructor(
    code: FaultCode,
    message: string,
    options: { cause?: unknown; detail?: Record<string, unknown>; issues?: readonly FaultIssue[] } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? {};
    this.issues = options.issues ?? [];
  }
}

export type FaultIssue = { readonly path: string; readonly message: string };

export const isFault = (error: unknown, code?: FaultCode): error is Fault =>
  error instanceof Fault && (code === undefined || error.code === code);

/** The words of any thrown value, for a log line. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
