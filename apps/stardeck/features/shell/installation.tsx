"use client";
import { createContext, use, type ReactNode } from "react";

/** What the server knows about the machine it runs on. */
export type Installation = { readonly cli: string };
const Context = createContext<Installation>({ cli: "npx starform" });

export function InstallationProvider({ value, children }: { value: Installation; children: ReactNode }) {
  return <Context value={value}>{children}</Context>;
}
export const useInstallation = (): Installation => use(Context);
