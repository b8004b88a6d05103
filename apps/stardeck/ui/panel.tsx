import type { ReactNode } from "react";
import { cx } from "./class-names.ts";

export function Panel({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <section className={cx("min-w-0 rounded-lg border border-line bg-surface", className)}>
      {children}
    </section>
  );
}

type TitledPanelProps = {
  title: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  isFlush?: boolean;
};

/** A panel with a heading; `isFlush` for lists that reach the edges. */
export function TitledPanel({ title, note, actions, children, isFlush = false }: TitledPanelProps) {
  return (
    <Panel>
      <header className="flex min-h-11 flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b border-line px-4 py-1.5">
        <div className="min-w-0">
          <h2 className="text-[13px] font-semibold">{title}</h2>
          {note && <p className="text-xs text-ink-soft">{note}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      <div className={isFlush ? "" : "p-4"}>{children}</div>
    </Panel>
  );
}

export function PageTitle({
  title,
  note,
  actions,
}: {
  title: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="mb-4 flex flex-wrap items-end justify-between gap-3">
      <div className="min-w-0">
        <h1 className="text-lg leading-7 font-semibold tracking-tight">{title}</h1>
        {note && <p className="text-[13px] text-ink-soft">{note}</p>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  );
}
