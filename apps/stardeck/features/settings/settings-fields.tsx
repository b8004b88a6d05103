"use client";
import { tiers, type ServiceType, type Tier } from "@starform/contract/names";
import { CommandLine } from "../../ui/copy.tsx";
import { SelectField, TextAreaField, TextField } from "../../ui/field.tsx";
import { sayValue } from "../../ui/format.ts";
import type { Draft } from "./settings-draft.ts";

type FieldsProps = { draft: Draft; set(change: Partial<Draft>): void };

export function SourceFields({ draft, set, gitUrl }: FieldsProps & { gitUrl: string }) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <SelectField
        label="Where the code comes from"
        value={draft.sourceKind}
        onChange={(event) => set({ sourceKind: event.target.value as Draft["sourceKind"] })}
      >
        <option value="push">Pushed from a machine</option>
        <option value="git">A Git repository</option>
        <option value="image">A container image</option>
      </SelectField>
      {draft.sourceKind === "push" ? (
        <div className="flex min-w-0 flex-col gap-1">
          <span className="text-xs font-medium text-ink-soft">Git remote</span>
          <CommandLine text={gitUrl} what="Git remote" isShell={false} />
        </div>
      ) : (
        <TextField
          label={draft.sourceKind === "git" ? "Repository URL" : "Image"}
          value={draft.address}
          onChange={(event) => set({ address: event.target.value })}
          isMono
        />
      )}
      {draft.sourceKind !== "image" && (
        <TextField
          label="Branch"
          value={draft.branch}
          onChange={(event) => set({ branch: event.target.value })}
          placeholder="none"
          hint={
            draft.sourceKind === "git"
              ? "Pushes there deploy nothing by themselves, whatever the watch paths: deploy again for the newest commit"
              : "Its pushes deploy to this environment; empty: none do"
          }
          isMono
        />
      )}
      {draft.sourceKind !== "image" && (
        <TextField
          label="Root directory"
          value={draft.rootDirectory}
          onChange={(event) => set({ rootDirectory: event.target.value })}
          placeholder="/"
          hint="Where the app is in its repository"
          isMono
        />
      )}
      {draft.sourceKind === "push" && (
        <TextAreaField
          label="Watch paths"
          value={draft.watchPaths}
          onChange={(event) => set({ watchPaths: event.target.value })}
          rows={3}
          placeholder={"apps/web/**\n!**/*.md"}
          hint="Only pushes that change one of these deploy; one pattern a line, as in .gitignore; empty: every push"
          className="sm:col-span-2"
          isMono
        />
      )}
    </div>
  );
}

export function BuildFields({ draft, set }: FieldsProps) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <SelectField
        label="Builder"
        value={draft.builder}
        onChange={(event) => set({ builder: event.target.value as Draft["builder"] })}
      >
        <option value="auto">By itself: a Dockerfile wins</option>
        <option value="dockerfile">Dockerfile</option>
        <option value="plan">Build plan, never a Dockerfile</option>
      </SelectField>
      <TextField
        label="Dockerfile"
        value={draft.dockerfilePath}
        onChange={(event) => set({ dockerfilePath: event.target.value })}
        placeholder="Dockerfile"
        isMono
        disabled={draft.builder === "plan"}
      />
      <TextField
        label="Install command"
        value={draft.installCommand}
        onChange={(event) => set({ installCommand: event.target.value })}
        placeholder="found by itself"
        isMono
      />
      <TextField
        label="Build command"
        value={draft.buildCommand}
        onChange={(event) => set({ buildCommand: event.target.value })}
        placeholder="found by itself"
        isMono
      />
    </div>
  );
}

export function RunFields({ draft, set, type }: FieldsProps & { type: ServiceType }) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <TextField
        label="Start command"
        value={draft.startCommand}
        onChange={(event) => set({ startCommand: event.target.value })}
        placeholder="found by itself"
        isMono
      />
      <SelectField
        label="Tier"
        value={draft.tier}
        onChange={(event) => set({ tier: event.target.value as Tier })}
      >
        {Object.entries(tiers).map(([name, { cpuMillis, memoryBytes }]) => (
          <option key={name} value={name}>
            {name}: {cpuMillis / 1_000} vCPU, {sayValue(memoryBytes, "bytes")}
          </option>
        ))}
      </SelectField>
      {type === "cron" ? (
        <TextField
          label="Schedule"
          value={draft.schedule}
          onChange={(event) => set({ schedule: event.target.value })}
          placeholder="*/15 * * * *"
          hint="Five fields, UTC"
          isMono
        />
      ) : (
        <TextField
          label="Replicas"
          type="number"
          min={0}
          max={20}
          value={draft.replicas}
          onChange={(event) => set({ replicas: event.target.value })}
          hint="0 stops it, at most 20"
        />
      )}
      <TextField
        label="Drain time"
        type="number"
        min={0}
        max={600}
        value={draft.drainSeconds}
        onChange={(event) => set({ drainSeconds: event.target.value })}
        hint="Seconds between SIGTERM and SIGKILL"
      />
      {type === "web" && (
        <>
          <TextField
            label="Health check path"
            value={draft.healthPath}
            onChange={(event) => set({ healthPath: event.target.value })}
            placeholder="none"
            hint="Answers 2xx or 3xx when the app is well"
            isMono
          />
          <TextField
            label="Health check timeout"
            type="number"
            min={1}
            max={3_600}
            value={draft.healthTimeout}
            onChange={(event) => set({ healthTimeout: event.target.value })}
            hint="Seconds a new instance has to become well"
            disabled={!draft.healthPath.trim()}
          />
        </>
      )}
    </div>
  );
}
