"use client";
import { getService } from "@starform/contract/services";
import { listVariables, setVariables } from "@starform/contract/variables";
import { useState } from "react";
import { useChange, useRoute } from "../../api/queries.ts";
import type { ServicePlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { TitledPanel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { say } from "../../ui/toasts.tsx";
import { serviceInput } from "../services/service-frame.tsx";
import { AddVariable } from "./add-variable.tsx";
import { editsFrom, toDotenv, valueGiven, withEdit, type Edits } from "./edits.ts";
import { InheritedVariables } from "./inherited-variables.tsx";
import { RawEditor } from "./raw-editor.tsx";
import { SaveBar } from "./save-bar.tsx";
import { VariableRow } from "./variable-row.tsx";

/** What a service gets as its environment; changes are gathered and saved together. */
export function VariablesPage({ place }: { place: ServicePlace }) {
  const variables = useRoute(listVariables, serviceInput(place));
  const service = useRoute(getService, serviceInput(place));
  const [edits, setEdits] = useState<Edits>({});
  /** What was shown when the first edit was made: it is saved over that and nothing else. */
  const [base, setBase] = useState<string>();
  const [isRaw, setRaw] = useState(false);
  const change = (next: Edits) => {
    setEdits(next);
    setBase(Object.keys(next).length === 0 ? undefined : (base ?? variables.data?.checksum));
  };
  const save = useChange(setVariables, ({ deploymentId }) => {
    change({});
    say(
      deploymentId
        ? "Saved. A deployment with the new variables has begun."
        : "Saved. The next deployment gets them.",
    );
  });
  const all = variables.data?.items;
  const own = all?.filter(({ group }) => group === null) ?? [];
  const names = [...new Set([...own.map(({ name }) => name), ...Object.keys(edits)])];
  const given = save.isSuccess ? save.variables.body.variables : {};
  const edit = (name: string) => (to: Edits[string]) => change(withEdit(edits, own, name, to));
  const undo = (name: string) =>
    change(Object.fromEntries(Object.entries(edits).filter(([other]) => other !== name)));
  return (
    <div className="flex flex-col gap-5">
      <ErrorNotice error={variables.error} onRetry={() => void variables.refetch()} />
      <TitledPanel
        title="Variables"
        note="A value may refer to others: ${{shared.NAME}}, ${{service.NAME}}"
        actions={
          <Button size="small" onClick={() => setRaw(true)} disabled={!all}>
            Edit as .env
          </Button>
        }
        isFlush
      >
        <AddVariable
          onAdd={(added) =>
            change([...added].reduce((next, [name, to]) => withEdit(next, own, name, to), edits))
          }
        />
        {variables.isPending && <Skeleton rows={3} />}
        {all && names.length === 0 && (
          <Empty title="No variables of its own">
            Add one above, or paste a whole .env file into the name.
          </Empty>
        )}
        <ul className="divide-y divide-line">
          {names.map((name) => (
            <VariableRow
              key={name}
              name={name}
              saved={own.find((variable) => variable.name === name)}
              edit={edits[name]}
              given={valueGiven(given[name])}
              place={place}
              onEdit={edit(name)}
              onUndo={() => undo(name)}
            />
          ))}
        </ul>
      </TitledPanel>
      {all && (
        <InheritedVariables
          variables={all.filter(({ group }) => group !== null)}
          ownNames={new Set(own.map(({ name }) => name))}
          place={place}
        />
      )}
      <SaveBar
        edits={edits}
        isRunning={Boolean(service.data?.activeDeploymentId)}
        isBusy={save.isPending}
        error={save.error}
        onDiscard={() => (change({}), save.reset())}
        onSave={(deploy) =>
          save.mutate(
            { ...serviceInput(place), body: { variables: { ...edits }, deploy }, ifMatch: base },
            // Whoever saves again has seen what is there now.
            { onError: () => setBase(undefined) },
          )
        }
      />
      {isRaw && (
        <RawEditor
          text={toDotenv(own, edits)}
          onClose={() => setRaw(false)}
          onApply={(entries) => {
            change(editsFrom(own, edits, entries));
            setRaw(false);
          }}
        />
      )}
    </div>
  );
}
