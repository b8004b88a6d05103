import { allItems } from "@starform/client/client";
import { createRegistryPassword } from "@starform/contract/registries";
import { listServices } from "@starform/contract/services";
import { command, countOf, flagOf } from "../../command.ts";
import type { Api, Context } from "../../context.ts";
import { chosenOf, projectTarget, queryOf, serviceOf, type ProjectTarget } from "../../target.ts";

export const password = command<{ push: boolean; hours?: number }>({
  brief: "a password for docker login at the platform's own registry",
  detail:
    "It opens the project's images there and ends by itself. The password alone is on standard output: starform registries password --push | docker login <host> -u <project> --password-stdin. What images are named is said beside it, for the folder's service or the one of --service, else for all of the project.",
  flags: {
    push: flagOf("it may push as well as pull"),
    hours: countOf("hours", "how long it is good for (1, at most 8760)"),
  },
  async run(context, { push, hours = 1 }) {
    const api = await context.api();
    const target = projectTarget(context);
    const names = await namesOf(context, api, target);
    const made = await api.call(
      createRegistryPassword,
      {
        params: { project: target.project },
        body: { access: push ? "push" : "pull", expiresInSeconds: hours * 3_600 },
      },
      { idempotencyKey: crypto.randomUUID() },
    );
    const images = Object.fromEntries(names.map(({ name, id }) => [name, `${made.prefix}/${id}`]));
    context.answer({ ...made, images }, () => made.password);
    if (context.isJson) return;
    context.note(`docker login ${made.host} --username ${made.username} --password-stdin`);
    for (const [name, image] of Object.entries(images))
      context.note(`images of ${name} are named ${image}:<tag>`);
    if (names.length === 0)
      context.note(
        "an image is pushed to the name of a service, and there is none yet: starform services create",
      );
    context.note(`good until ${made.expiresAt}`);
  },
});

/** The services whose images are meant: an image's name holds the id of its service. */
async function namesOf(context: Context, api: Api, target: ProjectTarget) {
  const { service } = chosenOf(context);
  if (service) return [await serviceOf(api, { ...target, service })];
  return allItems(api.call, listServices, { params: { project: target.project }, query: queryOf(target) });
}
