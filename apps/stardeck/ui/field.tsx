import { useId, type ComponentProps, type ReactNode } from "react";
import { cx } from "./class-names.ts";

export const inputClass =
  "h-8 w-full min-w-0 rounded-md border border-line-strong bg-surface px-2.5 text-ink placeholder:text-ink-faint disabled:opacity-60 aria-invalid:border-bad";

type FieldProps = {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  children(props: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean | undefined;
  }): ReactNode;
  className?: string;
};

/** A label, a control and what is to say about it, tied together. */
export function Field({ label, hint, error, children, className }: FieldProps) {
  const id = useId();
  const said = error ?? hint;
  return (
    <div className={cx("flex min-w-0 flex-col gap-1", className)}>
      <label htmlFor={id} className="text-xs font-medium text-ink-soft">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": said ? `${id}-said` : undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {said && (
        <p id={`${id}-said`} className={cx("text-xs", error ? "text-bad" : "text-ink-faint")}>
          {said}
        </p>
      )}
    </div>
  );
}

type Described = { label: ReactNode; hint?: ReactNode; error?: string | undefined; isMono?: boolean };

export function TextField({
  label,
  hint,
  error,
  isMono,
  className,
  ...rest
}: Described & ComponentProps<"input">) {
  return (
    <Field label={label} hint={hint} error={error} {...(className ? { className } : {})}>
      {(tied) => (
        <input
          autoComplete="off"
          spellCheck={false}
          {...rest}
          {...tied}
          className={cx(inputClass, isMono && "font-mono text-xs")}
        />
      )}
    </Field>
  );
}

export function TextAreaField({
  label,
  hint,
  error,
  isMono,
  className,
  ...rest
}: Described & ComponentProps<"textarea">) {
  return (
    <Field label={label} hint={hint} error={error} {...(className ? { className } : {})}>
      {(tied) => (
        <textarea
          autoComplete="off"
          spellCheck={false}
          {...rest}
          {...tied}
          className={cx(inputClass, "h-auto py-1.5", isMono && "font-mono text-xs")}
        />
      )}
    </Field>
  );
}

export function SelectField({
  label,
  hint,
  error,
  className,
  children,
  ...rest
}: Described & ComponentProps<"select">) {
  return (
    <Field label={label} hint={hint} error={error} {...(className ? { className } : {})}>
      {(tied) => (
        <select {...rest} {...tied} className={inputClass}>
          {children}
        </select>
      )}
    </Field>
  );
}

export function Checkbox({ label, ...rest }: { label: ReactNode } & ComponentProps<"input">) {
  return (
    <label className="inline-flex cursor-pointer items-center gap-2 text-[13px]">
      <input type="checkbox" {...rest} className="size-3.5 accent-accent" />
      {label}
    </label>
  );
}
