import type { Verifier } from "@starform/std/signature";
import type { SentDocument } from "./ports.ts";

export type Read =
  | { readonly kind: "read"; readonly document: unknown }
  | { readonly kind: "refused"; readonly reason: string };

/** The document, if Starbase signed it; without a verifier (no keys are set) the bearer-authenticated call vouches for it. */
export function readSigned({ text, signature }: SentDocument, isSigned: Verifier | undefined): Read {
  if (isSigned && !isSigned(text, signature))
    return {
      kind: "refused",
      reason: signature
        ? "its signature is not one of Starbase's: check STARFORM_SIGNING_KEYS_FILE, or who changed it"
        : "it is not signed",
    };
  try {
    return { kind: "read", document: JSON.parse(text) };
  } catch {
    return { kind: "refused", reason: "it is malformed: not JSON" };
  }
}
