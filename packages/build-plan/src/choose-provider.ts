import { decide, type PlanDraft } from "./plan-draft.ts";
import { PlanRefusal } from "./plan-refusal.ts";
import { readProcfile } from "./procfile.ts";
import type { Provider } from "./provider.ts";
import { providersInOrder } from "./providers/providers-in-order.ts";
import type { SourceTree } from "./source-tree.ts";
import { suggestFile } from "./suggest-file.ts";

/**
 * The provider that plans this source: the configured one, else the first that detects it. Undefined where only a
 * Procfile or the configuration says how to start. Throws PlanRefusal where nothing fits.
 */
export function chooseProvider(draft: PlanDraft): Provider | undefined {
  const { tree, config } = draft;
  const configured = config.provider;
  if (configured !== undefined) {
    const provider = providersInOrder.find(({ name }) => name === configured.toLowerCase());
    const known = providersInOrder.map(({ name }) => name);
    if (!provider)
      throw new PlanRefusal(`railpack.json asks for the provider ${configured}, which does not exist`, {
        hint: `Choose one of ${known.join(", ")}.`,
      });
    if (!provider.detects(draft))
      throw new PlanRefusal(
        `railpack.json asks for ${provider.label}, but there is no ${provider.looksFor.join(" or ")}`,
        {
          hint: `Add one of them, or remove provider from railpack.json.`,
          lookedFor: [...provider.looksFor],
        },
      );
    decide(draft, `plan it as ${provider.label}`, "because railpack.json says so");
    return provider;
  }
  const provider = providersInOrder.find((one) => one.detects(draft));
  if (provider) {
    const found = provider.looksFor
      .map((name) => (name.includes("*") ? (tree.find(name)[0] ?? name) : name))
      .find((name) => tree.hasFile(name) || tree.hasDirectory(name.replace(/\/$/, "")));
    decide(
      draft,
      `this is ${provider.label}`,
      found ? `because there is ${article(found)} ${found}` : "because its files say so",
    );
    return provider;
  }
  if (readProcfile(tree).size > 0 || draft.config.deploy?.startCommand) return undefined;
  throw nothingFound(tree);
}

export const article = (name: string): string => (/^[aeio]/i.test(name) ? "an" : "a");

export const nothingFoundMessage = "no app was found in the source";

function nothingFound(tree: SourceTree): PlanRefusal {
  const lookedFor = ["Dockerfile", ...providersInOrder.flatMap(({ looksFor }) => looksFor), "Procfile"];
  const what = tree.files.length === 0 ? "the source is empty" : nothingFoundMessage;
  return new PlanRefusal(what, { lookedFor: [...new Set(lookedFor)], hint: suggestFile(tree) });
}

/** Why a source whose kind is known still cannot run. */
export function noStart(draft: PlanDraft, provider: Provider | undefined): PlanRefusal {
  return new PlanRefusal(`this is ${provider?.label ?? "an app"}, but nothing says how to start it`, {
    lookedFor: [
      "RAILPACK_START_CMD",
      "startCommand in starform.json",
      "deploy.startCommand in railpack.json",
      "Procfile",
      ...(provider?.looksFor ?? []),
    ],
    hint: provider?.startHint(draft) ?? suggestFile(draft.tree),
  });
}
