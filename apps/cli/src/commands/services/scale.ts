import { Tier } from "@starform/contract/names";
import { updateService, type Service } from "@starform/contract/services";
import { command, word } from "../../command.ts";
import { usageError } from "../../exit-error.ts";
import { paramsOf, queryOf, serviceTarget } from "../../target.ts";

export default command<{ tier?: Tier }, string[]>({
  brief: "set how many instances run, and how large",
  detail: "starform scale 3, starform scale web=2 worker=1, starform scale --tier nova. It acts at once.",
  flags: {
    tier: { kind: "enum", values: Tier.options, optional: true, brief: "CPU and memory of one instance" },
  },
  positional: { kind: "array", parameter: word("[service=]count", "how many instances; 0 stops it") },
  async run(context, { tier }, ...words) {
    if (words.length === 0 && !tier)
      throw usageError("say how many: starform scale 3, or starform scale web=2");
    const wishes = words.map(wishOf);
    const api = await context.api();
    const services: Service[] = [];
    for (const { service, replicas } of wishes.length > 0
      ? wishes
      : [{ service: undefined, replicas: undefined }]) {
      const target = await serviceTarget(context, api, service);
      const settings = { ...(replicas === undefined ? {} : { replicas }), ...(tier ? { tier } : {}) };
      services.push(
        await api.call(updateService, {
          params: paramsOf(target),
          query: queryOf(target),
          body: { settings },
        }),
      );
    }
    context.answer(services, () =>
      services.map(({ name, settings }) => `${name}: ${settings.replicas} × ${settings.tier}`).join("\n"),
    );
  },
});

function wishOf(text: string): { service: string | undefined; replicas: number } {
  const match = /^(?:([^=]+)=)?(\d{1,3})$/.exec(text);
  if (!match) throw usageError(`"${text}" is no count: write 3, or web=3`);
  return { service: match[1], replicas: Number(match[2]) };
}
