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
import { say } from "../../ui/toasts.tsx";

type ByHandProps = {
  place: ProjectPlace;
  /** As far as it is known: an address that is still to be entered is empty. */
  source: Source;
  branch: string;
  proposedName: string;
  /** The fields of the source itself. */
  children?: React.ReactNode;
  onCreated(service: Service): void;
};

/** A service of which the person says all there is to say. */
export function ByHand({ place, source, branch, proposedName, children, onCreated }: ByHandProps) {
  const [name, setName] = useState(proposedName);
  const [type, setType] = useState<ServiceType>("web");
  const [schedule, setSchedule] = useState("");
  const problem = name ? ServiceName.safeParse(name).error?.issues[0]?.message : undefined;
  const isComplete = name && !problem && hasAddress(source) && (type !== "cron" || schedule.trim());
  const create = useChange(createService, (service) => {
    onCreated(service);
    if (source.kind !== "push") void deployFirst(service);
  });
  const submit = () =>
    create.mutate({
      params: { project: place.project },
      body: {
        name,
        type,
        source,
        settings: {
          ...(source.kind === "git" ? { branch } : {}),
          ...(type === "cron" ? { schedule: schedule.trim() } : {}),
        },
      },
    });
  const deployFirst = ({ projectId, name, source }: Service) =>
    call(createDeployment, {
      params: { project: projectId, service: name },
      query: { environment: place.environment },
      body: source.kind === "image" ? { image: source.image } : { ref: branch },
    }).catch((error: unknown) => say(sentence(error), { isBad: true }));
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (isComplete) submit();
      }}
    >
      {children}
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label="Service name"
          name="service"
          value={name}
          onChange={(event) => setName(event.target.value)}
          placeholder="web"
          autoFocus={source.kind === "push"}
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
      <ErrorNotice error={create.error} />
      <div className="flex justify-end">
        <Button type="submit" look="primary" isBusy={create.isPending} disabled={!isComplete}>
          Create service
        </Button>
      </div>
    </form>
  );
}

const hasAddress = (source: Source): boolean =>
  source.kind === "push" || (source.kind === "git" ? source.url : source.image) !== "";
