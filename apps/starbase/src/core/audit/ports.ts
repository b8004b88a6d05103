export type AuditEntry = {
  readonly id: string;
  readonly workspaceId: string;
  readonly projectId: string | null;
  readonly at: Date;
  readonly event: string;
  readonly actor: string;
  readonly subject: string;
  /** Never a secret's value. */
  readonly detail: Readonly<Record<string, unknown>>;
};

export interface AuditStore {
  add(entry: AuditEntry): Promise<void>;
  /** Newest first, before the entry of id `before`. */
  page(
    workspaceId: string,
    filter: { projectId?: string },
    page: { limit: number; before?: string },
  ): Promise<AuditEntry[]>;
}
