/** An error in ClickHouse's form: clients read the number, people the sentence. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: number;
  readonly status: number;

  constructor(code: number, kind: string, message: string, status?: number) {
    super(`Code: ${code}. DB::Exception: ${message} (${kind})`);
    this.code = code;
    this.status = status ?? statusOf(code);
  }
}

/** Turns whatever the engine threw into an EngineError with the engine's own words and number. */
export function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const words = error instanceof Error ? error.message : String(error);
  const code = Number(/Code: (\d+)\./.exec(words)?.[1] ?? 1002);
  const wrapped = new EngineError(code, "UNKNOWN_EXCEPTION", words);
  if (/Code: \d+\./.test(words)) wrapped.message = words;
  return wrapped;
}

const statuses: Readonly<Record<number, number>> = {
  6: 400, // CANNOT_PARSE_TEXT
  27: 400, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  47: 404, // UNKNOWN_IDENTIFIER
  60: 404, // UNKNOWN_TABLE
  62: 400, // SYNTAX_ERROR
  81: 404, // UNKNOWN_DATABASE
  115: 400, // UNKNOWN_SETTING
  117: 400, // INCORRECT_DATA
  164: 403, // READONLY
  202: 503, // TOO_MANY_SIMULTANEOUS_QUERIES
  456: 400, // UNKNOWN_QUERY_PARAMETER
  516: 401, // AUTHENTICATION_FAILED
};
const statusOf = (code: number): number => statuses[code] ?? 500;
