"use client";
import { listServices } from "@starform/contract/services";
import { attachVarGroup, detachVarGroup, type VarGroup } from "@starform/contract/variables";
import { useState } from "react";
import { useChange, useList } from "../../api/queries.ts";
import type { ProjectPlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { inputClass } from "../../ui/field.tsx";
import { CloseIcon } from "../../ui/icons.tsx";
import { ErrorNotice } from "../../ui/states.tsx";

/** Which services get the group, in this environment changeable, in others as a list. */
export function Attachments({ group, place }: { group: VarGroup; place: ProjectPlace }) {
  const services = useList(listServices, {
    params: { project: place.project },
    query: { environment: place.environment },
  });
  const attach = useChange(attachVarGroup);
  const detach = useChange(detachVarGroup);
  const [service, setService] = useState("");
  const [order, setOrder] = useState("0");
  const isHere = (environment: string) => environment === place.environment;
  const taken = new Set(
    group.attachedTo.filter(({ environment }) => isHere(environment)).map(({ service }) => service),
  );
  const free = (services.data ?? []).filter(({ name }) => !taken.has(name));
  const params = (service: string) => ({ project: place.project, service, group: group.name });
  const query = { environment: place.environment };
  return (
    <div className="flex flex-col gap-2 border-t border-line px-4 py-3">
      <div className="flex flex-wrap items-center gap-2 text-xs">
        <span className="text-ink-soft">Attached to</span>
        {group.attachedTo.length === 0 && <span className="text-ink-faint">no service yet</span>}
        {group.attachedTo.map(({ service, environment, attachOrder }) => (
          <span
            key={`${service} ${environment}`}
            className="inline-flex items-center gap-1 rounded-md border border-line bg-raised pl-2"
          >
            <span className="py-1">
              {service}{" "}
              <span className="text-ink-faint">
                {environment}, order {attachOrder}
              </span>
            </span>
            {isHere(environment) ? (
              <button
                type="button"
                aria-label={`Detach from ${service}`}
                title="Detach"
                disabled={detach.isPending}
                onClick={() => detach.mutate({ params: params(service), query })}
                className="grid size-6 cursor-pointer place-items-center rounded text-ink-soft hover:text-ink"
              >
                <CloseIcon className="size-3.5" />
              </button>
            ) : (
              <span className="w-2" />
            )}
          </span>
        ))}
      </div>
      {free.length > 0 && (
        <form
          className="flex flex-wrap items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (service)
              attach.mutate(
                { params: params(service), query, body: { attachOrder: Number(order) || 0 } },
                { onSuccess: () => setService("") },
              );
          }}
        >
          <select
            aria-label="Service to attach to"
            value={service}
            onChange={(event) => setService(event.target.value)}
            className={`${inputClass} max-w-44`}
          >
            <option value="">Attach to…</option>
            {free.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          {service && (
            <>
              <input
                type="number"
                min={0}
                max={1_000}
                aria-label="Order: a higher one wins"
                title="Order: a higher one wins"
                value={order}
                onChange={(event) => setOrder(event.target.value)}
                className={`${inputClass} max-w-20`}
              />
              <Button type="submit" isBusy={attach.isPending}>
                Attach in {place.environment}
              </Button>
            </>
          )}
        </form>
      )}
      <ErrorNotice error={attach.error ?? detach.error} />
    </div>
  );
}
