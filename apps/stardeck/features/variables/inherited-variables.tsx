import type { Variable } from "@starform/contract/variables";
import Link from "next/link";
import { paths, type ServicePlace } from "../../paths.ts";
import { TitledPanel } from "../../ui/panel.tsx";
import { Tag } from "../../ui/status.tsx";

type InheritedProps = { variables: readonly Variable[]; ownNames: ReadonlySet<string>; place: ServicePlace };

/** What comes from var groups, in the order in which later wins; the service's own win over all. */
export function InheritedVariables({ variables, ownNames, place }: InheritedProps) {
  if (variables.length === 0) return null;
  const winner = new Map(variables.map((variable, at) => [variable.name, at]));
  return (
    <TitledPanel
      title="From var groups"
      note="Later groups win over earlier ones, the service's own variables over all."
      actions={
        <Link href={paths.varGroups(place)} className="text-xs text-accent hover:underline">
          Edit var groups
        </Link>
      }
      isFlush
    >
      <ul className="divide-y divide-line">
        {variables.map(({ name, group, value, resolved, isSecret }, at) => {
          const isOverruled = ownNames.has(name) || winner.get(name) !== at;
          return (
            <li
              key={`${group} ${name}`}
              className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-3 gap-y-1 px-4 py-2 font-mono text-xs sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_auto]"
            >
              <span
                className={`break-all ${isOverruled ? "text-ink-faint line-through" : ""}`}
                title={isOverruled ? "another value of this name wins" : undefined}
              >
                {name}
              </span>
              <span className="col-span-2 row-start-2 min-w-0 text-ink-soft [overflow-wrap:anywhere] sm:col-span-1 sm:row-start-auto">
                {isSecret ? "••••••••" : (resolved ?? value)}
              </span>
              <Tag>{group ?? ""}</Tag>
            </li>
          );
        })}
      </ul>
    </TitledPanel>
  );
}
