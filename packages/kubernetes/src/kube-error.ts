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

/** The API server said no. `status` is the HTTP status; `reason` is the server's word to branch on, and may be absent. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly status: number;
  readonly reason: string | undefined;
  readonly body: KubeStatus;

  constructor(status: number, body: KubeStatus) {
    super(body.message ?? `the Kubernetes API server answered ${status}`);
    this.status = status;
    this.reason = body.reason;
    this.body = body;
  }
}
