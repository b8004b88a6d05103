/** The body that the API server explains a refusal with. */
export type KubeStatus = {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly causes?: readonly {
      readonly reason?: string;
      readonly message?: string;
      readonly field?: string;
    }[];
    readonly retryAfterSeconds?: number;
  };
};

/**
 * The API server said no. `status` is the HTTP status; `reason` is the server's word to branch on, and may be absent.
 * Status 0 with the reason `Unreachable` is ours: no answer came, or none in time.
 */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly status: number;
  readonly reason: string | undefined;
  readonly body: KubeStatus;

  constructor(status: number, body: KubeStatus, options: { readonly cause?: unknown } = {}) {
    super(body.message ?? `the Kubernetes API server answered ${status}`, options);
    this.status = status;
    this.reason = body.reason;
    this.body = body;
  }
}

/** Whether the error is the API server's refusal with one of these statuses. */
export const isKubeError = (error: unknown, ...statuses: readonly number[]): error is KubeError =>
  error instanceof KubeError && (statuses.length === 0 || statuses.includes(error.status));
