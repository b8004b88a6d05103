import type { RegistryAccess } from "../../ports/registry-provider.ts";
import type { Sealed } from "../variables/ports.ts";

/** What a registry is asked to allow, in its own words: `repository:<name>:pull,push`. */
export type RegistryScope = {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
};

/** Signs what the registry believes. */
export interface RegistryTokens {
  /** A token that allows exactly these scopes, and how long the registry takes it for good. */
  sign(input: { subject: string; scopes: readonly RegistryScope[]; now: Date; seconds: number }): string;
}

export type RegistryPassword = {
  readonly projectId: string;
  readonly access: RegistryAccess;
  readonly expiresAt: Date;
};

/** Passwords that carry what they open, so that nothing of them is kept. */
export interface RegistryPasswords {
  seal(password: RegistryPassword): string;
  /** Undefined for what is not one of ours; one that has expired is read as well. */
  read(text: string): RegistryPassword | undefined;
}

/** Keeps pushes and the collection of garbage apart, over processes. */
export interface PushGate {
  /** Whether a push may begin now. One that may is waited for by the next collection. */
  admit(): Promise<boolean>;
}

/** What a project signs in with elsewhere; the password always sealed. */
export type ProjectCredential = {
  readonly projectId: string;
  readonly kind: "registry" | "git";
  readonly host: string;
  readonly username: string;
  readonly password: Sealed;
  readonly createdBy: string;
  readonly createdAt: Date;
};

export interface ProjectCredentialStore {
  /** In place of an earlier one for the host. */
  put(credential: ProjectCredential): Promise<void>;
  /** By host. */
  ofProject(projectId: string, kind: ProjectCredential["kind"]): Promise<ProjectCredential[]>;
  /** Answers whether there was one. */
  remove(projectId: string, kind: ProjectCredential["kind"], host: string): Promise<boolean>;
}
