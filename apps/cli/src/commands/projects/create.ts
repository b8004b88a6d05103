import { createProject } from "@starform/contract/projects";
import { command, valueOf, word } from "../../command.ts";

export const create = command<{ name?: string }, [string]>({
  brief: "make a project",
  flags: { name: valueOf("name", "a name to show; the slug by itself if left out") },
  positional: { kind: "tuple", parameters: [word("slug", "small letters, digits and hyphens")] },
  async run(context, { name }, slug) {
    const workspace = context.flags.workspace ?? context.config.workspace;
    const { call } = await context.api();
    const project = await call(
      createProject,
      { body: { slug, ...(name ? { name } : {}), ...(workspace ? { workspace } : {}) } },
      { idempotencyKey: crypto.randomUUID() },
    );
    context.answer(
      project,
      () =>
        `${context.paint("green", "✓")} made ${project.slug} in ${project.workspaceSlug}; connect a folder: starform link ${project.slug}`,
    );
  },
});
