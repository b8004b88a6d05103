"use client";
import { deleteService, getService, updateService, type Service } from "@starform/contract/services";
import { isFault } from "@starform/std/fault";
import { useRouter } from "next/navigation";
import { useState, type FormEvent } from "react";
import { useChange, useRoute } from "../../api/queries.ts";
import { paths, type ServicePlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Panel, TitledPanel } from "../../ui/panel.tsx";
import { ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { say } from "../../ui/toasts.tsx";
import { serviceInput } from "../services/service-frame.tsx";
import { BuildFields, RunFields, SourceFields } from "./settings-fields.tsx";
import { draftOf, patchOf, rebased, type Draft } from "./settings-draft.ts";

/** How a service is built and run in this environment. */
export function ServiceSettingsPage({ place }: { place: ServicePlace }) {
  const service = useRoute(getService, serviceInput(place));
  if (service.isPending)
    return (
      <Panel>
        <Skeleton rows={8} />
      </Panel>
    );
  if (!service.data) return null;
  return (
    <div className="flex flex-col gap-5">
      <SettingsForm
        key={`${service.data.id}${service.data.environment}`}
        service={service.data}
        place={place}
      />
      <DangerZone place={place} />
    </div>
  );
}

/** What a person has begun to change, and what was shown to them then. */
type Form = { base: Service; draft: Draft };

function SettingsForm({ service, place }: { service: Service; place: ServicePlace }) {
  const [form, setForm] = useState<Form>({ base: service, draft: draftOf(service) });
  const isTouched = Object.keys(patchOf(form.base, form.draft).body).length > 0;
  // Untouched, it shows what stands now, though never something older than what was just saved.
  const isBehind = !isTouched && form.base.updatedAt < service.updatedAt;
  const { base, draft } = isBehind ? { base: service, draft: draftOf(service) } : form;
  const { body, problem } = patchOf(base, draft);
  const isChanged = Object.keys(body).length > 0;
  const save = useChange(updateService, (saved) => {
    setForm({ base: saved, draft: draftOf(saved) });
    say("Saved. Tier, replicas, schedule and drain act at once, the rest at the next deployment.");
  });
  const isStale = isFault(save.error, "precondition_failed") && base.checksum !== service.checksum;
  // Somebody else saved meanwhile: what they changed is shown, with the changes of this person over it.
  if (isStale) setForm({ base: service, draft: rebased({ base, draft }, service) });
  const set = (change: Partial<Draft>) => setForm({ base, draft: { ...draft, ...change } });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isChanged && !problem) save.mutate({ ...serviceInput(place), body, ifMatch: base.checksum });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-5">
      <TitledPanel title="Source">
        <SourceFields draft={draft} set={set} gitUrl={service.gitUrl} />
      </TitledPanel>
      <TitledPanel title="Build" note={`In ${place.environment}; acts at the next deployment`}>
        <BuildFields draft={draft} set={set} />
      </TitledPanel>
      <TitledPanel
        title="Run"
        note={`In ${place.environment}; tier, replicas, schedule and drain act at once`}
      >
        <RunFields draft={draft} set={set} type={service.type} />
      </TitledPanel>
      {isChanged && (
        <div
          role="region"
          aria-label="Unsaved changes"
          className="sticky bottom-3 z-10 flex flex-col gap-2 rounded-lg border border-accent/50 bg-surface p-3 shadow-xl"
        >
          <ErrorNotice error={save.error} />
          <div className="flex flex-wrap items-center justify-between gap-2">
            <span className={problem ? "text-bad" : "font-medium"}>{problem ?? "Unsaved changes"}</span>
            <span className="flex gap-2">
              <Button onClick={() => (setForm({ base: service, draft: draftOf(service) }), save.reset())}>
                Discard
              </Button>
              <Button type="submit" look="primary" isBusy={save.isPending} disabled={problem !== undefined}>
                Save
              </Button>
            </span>
          </div>
        </div>
      )}
    </form>
  );
}

function DangerZone({ place }: { place: ServicePlace }) {
  const router = useRouter();
  const [isAsking, setAsking] = useState(false);
  const remove = useChange(deleteService, () => {
    say(`${place.service} is deleted.`);
    router.push(paths.project(place));
  });
  return (
    <TitledPanel title="Delete the service">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-[13px] text-ink-soft">
          It stops in every environment, and its deployments, variables and Git remote go. There is no way
          back.
        </p>
        <Button look="danger" onClick={() => setAsking(true)}>
          Delete {place.service}
        </Button>
      </div>
      {isAsking && (
        <Confirm
          title={`Delete ${place.service}`}
          action="Delete for good"
          typed={place.service}
          isDangerous
          isBusy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate({ params: serviceInput(place).params })}
          onClose={() => setAsking(false)}
        >
          It stops in every environment, and its deployments, variables and Git remote go.
        </Confirm>
      )}
    </TitledPanel>
  );
}
