import type { Service } from "@starform/contract/services";

/** That watch paths were set where no push is heard of; nothing where they have their effect. */
export const sayUnwatched = (
  watch: string | undefined,
  { name, source }: Pick<Service, "name" | "source">,
): string[] =>
  watch && source.kind !== "push"
    ? [
        `its watch paths have no effect: ${name} is not built from pushes to Starform, and is deployed by \`starform redeploy\` alone`,
      ]
    : [];
