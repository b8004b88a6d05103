/** A variable as it is stored: always sealed. */
export type StoredVariable = {
  readonly name: string;
  readonly isSecret: boolean;
  readonly sealed: Sealed;
  readonly digest: string;
  readonly updatedAt: Date;
};
export type Sealed = { readonly keyId: string; readonly ciphertext: Buffer };

/** Seals what must not be read from the table alone. */
export interface SecretBox {
  seal(text: string): Sealed;
  /** Throws when the key is gone or the text was tampered with. */
  open(sealed: Sealed): string;
  /** `sha256:<hex>`, keyed: equal values of this installation have equal digests, and it cannot be guessed at. */
  digest(text: string): string;
}

export type StoredGroup = {
  readonly id: string;
  readonly projectId: string;
  /** null for a service's own variables. */
  readonly name: string | null;
  readonly serviceId: string | null;
  readonly environmentId: string | null;
  readonly createdAt: Date;
  readonly entries: readonly StoredVariable[];
};
export type Attachment = {
  readonly groupId: string;
  readonly serviceId: string;
  readonly environmentId: string;
  readonly attachOrder: number;
};

export interface VariableStore {
  /** Fault `name_taken`. */
  insertGroup(group: {
    id: string;
    projectId: string;
    name: string | null;
    serviceId: string | null;
    environmentId: string | null;
    createdAt: Date;
  }): Promise<void>;
  groups(projectId: string): Promise<StoredGroup[]>;
  attachments(projectId: string): Promise<Attachment[]>;
  put(groupId: string, variable: StoredVariable): Promise<void>;
  drop(groupId: string, names: readonly string[]): Promise<void>;
  removeGroup(projectId: string, groupId: string): Promise<void>;
  attach(attachment: Attachment): Promise<void>;
  detach(attachment: Omit<Attachment, "attachOrder">): Promise<void>;
}
