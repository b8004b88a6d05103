"use client";
import { useSearchParams } from "next/navigation";

const name = "proposal";

/** The proposal that is on the screen, as the page's address keeps it: whoever loads it again, or is sent it, sees the same. */
export function useProposalInAddress(): { readonly id: string | undefined; keep(id: string): void } {
  const params = useSearchParams();
  return {
    id: params.get(name) ?? undefined,
    keep(id) {
      const changed = new URLSearchParams(params);
      changed.set(name, id);
      // In place: the way back leads to where the person came from.
      window.history.replaceState(null, "", `?${changed}`);
    },
  };
}
