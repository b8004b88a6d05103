"use client";
import { createLoginLink, createToken } from "@starform/contract/identity";
import type { Service } from "@starform/contract/services";
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import type { ServicePlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { CommandLine } from "../../ui/copy.tsx";
import { TitledPanel } from "../../ui/panel.tsx";
import { ErrorNotice } from "../../ui/states.tsx";
import { Segmented } from "../../ui/tab-bar.tsx";
import { useInstallation } from "../shell/installation.tsx";
import { cliSteps, gitSteps, type Step } from "./push-commands.ts";

/** Three commands from a folder to a live app. The page turns into the deployment by itself when the push arrives. */
export function FirstRun({ service, place }: { service: Service; place: ServicePlace }) {
  const [way, setWay] = useState<"git" | "cli">("git");
  return (
    <TitledPanel
      title="Push your app"
      note="Node, Python, Go, static sites and more are recognised; a Dockerfile wins."
      actions={
        <Segmented
          label="How to push"
          value={way}
          options={[
            ["git", "Git"],
            ["cli", "CLI"],
          ]}
          onChange={setWay}
        />
      }
    >
      <div className="flex flex-col gap-5">
        {way === "git" ? <GitWay service={service} place={place} /> : <CliWay place={place} />}
        <div className="border-t border-line pt-4">
          <p role="status" className="flex items-baseline gap-2 text-xs font-medium text-accent">
            <span aria-hidden className="size-2 shrink-0 rounded-full bg-current motion-safe:animate-pulse" />
            Waiting for your first push: this page turns live by itself
          </p>
        </div>
      </div>
    </TitledPanel>
  );
}

const Steps = ({ steps, children }: { steps: readonly Step[]; children?: React.ReactNode }) => (
  <ol className="flex flex-col gap-4">
    {steps.map(({ title, command }, at) => (
      <li key={title} className="grid grid-cols-[1.5rem_minmax(0,1fr)] gap-x-2">
        <span
          aria-hidden
          className="grid size-5 place-items-center rounded-full border border-line-strong text-[11px] font-semibold text-ink-soft"
        >
          {at + 1}
        </span>
        <div className="flex min-w-0 flex-col gap-1.5">
          <p className="text-[13px]">{title}</p>
          <CommandLine text={command} what={`command ${at + 1}`} />
          {at === steps.length - 1 && children}
        </div>
      </li>
    ))}
  </ol>
);

function GitWay({ service, place }: { service: Service; place: ServicePlace }) {
  const make = useChange(createToken);
  return (
    <Steps steps={gitSteps(service)}>
      <div className="mt-1 flex flex-col gap-2 rounded-md border border-line p-3">
        {make.data ? (
          <>
            <p className="text-xs text-ink-soft">
              Paste this token when Git asks for the password. It is shown this once.
            </p>
            <CommandLine text={make.data.secret} what="token" isShell={false} />
          </>
        ) : (
          <div className="flex flex-wrap items-center justify-between gap-2">
            <p className="text-xs text-ink-soft">Git asks for a password: an API token.</p>
            <Button
              size="small"
              look="primary"
              isBusy={make.isPending}
              onClick={() =>
                make.mutate({
                  body: { name: `git push to ${place.project}`.slice(0, 80), project: place.project },
                })
              }
            >
              Make a token
            </Button>
          </div>
        )}
        <ErrorNotice error={make.error} />
      </div>
    </Steps>
  );
}

function CliWay({ place }: { place: ServicePlace }) {
  const { cli } = useInstallation();
  const make = useChange(createLoginLink);
  return (
    <>
      <Steps steps={cliSteps({ cli, link: make.data?.url, ...place })} />
      {!make.data && (
        <div className="flex flex-wrap items-center justify-between gap-2 rounded-md border border-line p-3">
          <p className="text-xs text-ink-soft">
            Not signed in on that machine? A link in the first command does it in one go.
          </p>
          <Button size="small" look="primary" isBusy={make.isPending} onClick={() => make.mutate({})}>
            Put a sign-in link in
          </Button>
        </div>
      )}
      <ErrorNotice error={make.error} />
    </>
  );
}
