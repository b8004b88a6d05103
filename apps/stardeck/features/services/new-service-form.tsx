"use client";
import { createDeployment } from "@starform/contract/deployments";
import { ServiceName, type ServiceType } from "@starform/contract/names";
import { createService, type Service, type Source } from "@starform/contract/services";
import { useState } from "react";
import { call } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import type { ProjectPlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { ErrorNotice, sentence } from "../../ui/states.tsx";
import { Segmented } from "../../ui/tab-bar.tsx";
import { say } from "../../ui/toasts.tsx";

const kinds = [
  ["push", "My machine"],
  ["git", "Git repository"],
  ["image", "Container image"],
] as const;
const kindHints = {
  push: "You push a folder with git push or starform up. The commands come next.",
  git: "Any URL that git can clone. Its first build starts at once.",
  image: "A ready image, run as it is.",
};

type NewServiceFormProps = { place: ProjectPlace; proposedName: string; onCreated(service: Service): void };

export function NewServiceForm({ place, proposedName, onCreated }: NewServiceFormProps) {
  const [name, setName] = useState(proposedName);
  const [type, setType] = useState<ServiceType>("web");
  const [kind, setKind] = useState<Source["kind"]>("push");
  const [address, setAddress] = useState("");
  const [branch, setBranch] = useState("main");
  const [schedule, setSchedule] = useState("");
  const problem = name ? ServiceName.safeParse(name).error?.issues[0]?.message : undefined;
  const isComplete =
    name && !problem && (kind === "push" || address.trim()) && (type !== "cron" || schedule.trim());
  const create = useChange(createService, (service) => {
    onCreated(service);
    if (kind !== "push") void deployFirst(service);
  });
  const submit = () =>
    create.mutate({
      params: { project: place.project },
      body: {
        name,
        type,
        source: sourceOf(kind, address.trim()),
        settings: {
          ...(kind === "git" ? { branch: branch.trim() || "main" } : {}),
          ...(type === "cron" ? { schedule: schedule.trim() } : {}),
        },
      },
    });
  const deployFirst = ({ projectId, name, source }: Service) =>
    call(createDeployment, {
      params: { project: projectId, service: name },
      query: { environment: place.environment },
      body: source.kind === "image" ? { image: source.image } : { ref: branch.trim() || "main" },
    }).catch((error: unknown) => say(sentence(error), { isBad: true }));
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (isComplete) submit();
      }}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label="Service name"
          name="service"
          value={name}
          onChange={(event) => setName(event.target.value)}
          placeholder="web"
          autoFocus
          error={problem && sentence(new Error(problem))}
          hint="Small letters, digits and hyphens"
        />
        <SelectField
          label="What it does"
          value={type}
          onChange={(event) => setType(event.target.value as ServiceType)}
        >
          <option value="web">Web: answers HTTP at a URL</option>
          <option value="worker">Worker: runs without a port</option>
          <option value="cron">Cron: runs at set times</option>
        </SelectField>
      </div>
      {type === "cron" && (
        <TextField
          label="Schedule"
          value={schedule}
          onChange={(event) => setSchedule(event.target.value)}
          placeholder="*/15 * * * *"
          hint="Five fields, UTC: minute, hour, day, month, weekday"
          isMono
        />
      )}
      <div className="flex flex-col gap-1.5">
        <span className="text-xs font-medium text-ink-soft">Where its code comes from</span>
        <div>
          <Segmented label="Where its code comes from" value={kind} options={kinds} onChange={setKind} />
        </div>
        <p className="text-xs text-ink-faint">{kindHints[kind]}</p>
      </div>
      {kind !== "push" && (
        <div className="grid gap-4 sm:grid-cols-[1fr_10rem]">
          <TextField
            label={kind === "git" ? "Repository URL" : "Image"}
            value={address}
            onChange={(event) => setAddress(event.target.value)}
            placeholder={kind === "git" ? "https://github.com/you/app.git" : "docker.io/library/nginx:latest"}
            isMono
            className={kind === "git" ? "" : "sm:col-span-2"}
          />
          {kind === "git" && (
            <TextField
              label="Branch"
              value={branch}
              onChange={(event) => setBranch(event.target.value)}
              isMono
            />
          )}
        </div>
      )}
      <ErrorNotice error={create.error} />
      <div className="flex justify-end">
        <Button type="submit" look="primary" isBusy={create.isPending} disabled={!isComplete}>
          Create service
        </Button>
      </div>
    </form>
  );
}

const sourceOf = (kind: Source["kind"], address: string): Source =>
  kind === "push" ? { kind } : kind === "git" ? { kind, url: address } : { kind, image: address };
