"use client";
import type { Source } from "@starform/contract/services";
import { useState } from "react";
import type { ProjectPlace } from "../../paths.ts";
import { TextField } from "../../ui/field.tsx";
import { Segmented } from "../../ui/tab-bar.tsx";
import { ByHand } from "./by-hand.tsx";
import { FromGit } from "./from-git.tsx";
import { useProposalInAddress } from "./proposal-in-address.ts";

const kinds = [
  ["push", "My machine"],
  ["git", "Git repository"],
  ["image", "Container image"],
] as const;
const kindHints = {
  push: "You push a folder with git push or starform up. The commands come next.",
  git: "Any https address that git can clone. You see what is in it before anything is made.",
  image: "A ready image, run as it is.",
};

type NewServiceFormProps = {
  place: ProjectPlace;
  proposedName: string;
  /** Told the names of what was made, in order. */
  onCreated(names: readonly string[]): void;
  /** Told when a repository is looked into, to choose from what it holds. */
  onLook?: () => void;
};

/** First where the code comes from, then what is to be said of it. */
export function NewServiceForm({ place, proposedName, onCreated, onLook }: NewServiceFormProps) {
  const asked = useProposalInAddress();
  const [kind, setKind] = useState<Source["kind"]>(asked.id === undefined ? "push" : "git");
  const [image, setImage] = useState("");
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-col gap-1.5">
        <span className="text-xs font-medium text-ink-soft">Where its code comes from</span>
        <div>
          <Segmented label="Where its code comes from" value={kind} options={kinds} onChange={setKind} />
        </div>
        <p className="text-xs text-ink-faint">{kindHints[kind]}</p>
      </div>
      {kind === "git" ? (
        <FromGit place={place} onCreated={onCreated} onLook={onLook} />
      ) : (
        <ByHand
          key={kind}
          place={place}
          source={kind === "push" ? { kind } : { kind, image: image.trim() }}
          branch=""
          proposedName={proposedName}
          onCreated={({ name }) => onCreated([name])}
        >
          {kind === "image" && (
            <TextField
              label="Image"
              autoFocus
              value={image}
              onChange={(event) => setImage(event.target.value)}
              placeholder="docker.io/library/nginx:latest"
              isMono
            />
          )}
        </ByHand>
      )}
    </div>
  );
}
