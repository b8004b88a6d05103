"use client";
import { getMe } from "@starform/contract/identity";
import { Slug } from "@starform/contract/names";
import { workspaceCan } from "@starform/contract/permissions";
import { createProject } from "@starform/contract/projects";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useChange, useRoute } from "../../api/queries.ts";
import { paths } from "../../paths.ts";
import { Button, buttonClass } from "../../ui/button.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { ErrorNotice } from "../../ui/states.tsx";
import { slugFrom } from "./slug-from.ts";

export function NewProjectPage() {
  const router = useRouter();
  const me = useRoute(getMe, {});
  const workspaces = (me.data?.workspaces ?? []).filter(({ role }) => workspaceCan(role, "projects.create"));
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string>();
  const workspace = chosen ?? workspaces[0]?.slug;
  const slug = slugFrom(name);
  const problem = name.trim() ? Slug.safeParse(slug).error?.issues[0]?.message : undefined;
  const create = useChange(createProject, (project) => {
    const isAmbiguous = (me.data?.workspaces.length ?? 1) > 1;
    router.push(
      paths.project({ project: isAmbiguous ? `${project.workspaceSlug}.${project.slug}` : project.slug }),
    );
  });
  return (
    <div className="mx-auto max-w-md">
      <PageTitle
        title="New project"
        note="A project holds the services of one app, in one or several environments."
      />
      <Panel className="p-4">
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            if (slug && !problem)
              create.mutate({ body: { slug, name: name.trim(), ...(workspace ? { workspace } : {}) } });
          }}
        >
          <TextField
            label="Name"
            name="name"
            value={name}
            onChange={(event) => setName(event.target.value)}
            placeholder="shop"
            maxLength={80}
            autoFocus
            error={problem && `As an address this would be "${slug}": it ${problem}`}
            hint={
              <>
                Its services answer at <span className="font-mono">…-{slug || "shop"}</span>
              </>
            }
          />
          {workspaces.length > 1 && (
            <SelectField
              label="Workspace"
              value={workspace}
              onChange={(event) => setChosen(event.target.value)}
            >
              {workspaces.map(({ slug, name }) => (
                <option key={slug} value={slug}>
                  {name}
                </option>
              ))}
            </SelectField>
          )}
          <ErrorNotice error={create.error ?? me.error} />
          <div className="flex justify-end gap-2">
            <Link href={paths.projects()} className={buttonClass()}>
              Cancel
            </Link>
            <Button
              type="submit"
              look="primary"
              isBusy={create.isPending || create.isSuccess}
              disabled={!slug || problem !== undefined}
            >
              Create project
            </Button>
          </div>
        </form>
      </Panel>
    </div>
  );
}
