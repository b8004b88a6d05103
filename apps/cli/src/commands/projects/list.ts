import { listProjects, type Project } from "@starform/contract/projects";
import { everyItem } from "@starform/client/client";
import { command } from "../../command.ts";
import { sayAgo } from "../../output/say-time.ts";
import { table } from "../../output/table.ts";
import { chosenOf } from "../../target.ts";

export const list = command({
  brief: "the projects you may see, newest first",
  async run(context) {
    const { workspace, project: linked } = chosenOf(context);
    const { call } = await context.api();
    const query = { limit: 200, ...(workspace ? { workspace } : {}) };
    const projects = await Array.fromAsync(
      everyItem<typeof listProjects, Project>(call, listProjects, { query }),
    );
    context.answer(projects, () =>
      projects.length === 0
        ? "no projects yet: starform up makes the first"
        : table(
            ["PROJECT", "WORKSPACE", "YOUR ROLE", "MADE"],
            projects.map(({ slug, workspaceSlug, role, createdAt }) => [
              slug === linked ? context.paint("bold", `${slug} *`) : slug,
              workspaceSlug,
              role,
              sayAgo(createdAt, context.host.now()),
            ]),
          ),
    );
  },
});
