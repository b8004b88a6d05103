import type { ComponentProps } from "react";
import { cx } from "./class-names.ts";

export type ButtonLook = "plain" | "primary" | "quiet" | "danger";

const looks: Record<ButtonLook, string> = {
  plain: "border border-line-strong bg-surface text-ink hover:bg-raised",
  primary: "border border-accent bg-accent text-accent-ink hover:brightness-110",
  quiet: "border border-transparent text-ink-soft hover:bg-raised hover:text-ink",
  danger: "border border-bad bg-surface text-bad hover:bg-bad hover:text-surface",
};

/** The look of a button, for links that are one. */
export const buttonClass = (look: ButtonLook = "plain", size: "small" | "normal" = "normal") =>
  cx(
    "inline-flex shrink-0 cursor-pointer items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap select-none",
    "disabled:cursor-default disabled:opacity-50 disabled:hover:brightness-100",
    size === "small" ? "h-7 px-2 text-xs" : "h-8 px-3 text-[13px]",
    looks[look],
  );

type ButtonProps = ComponentProps<"button"> & {
  look?: ButtonLook;
  size?: "small" | "normal";
  /** Work is under way: the button says so and cannot be pressed again. */
  isBusy?: boolean;
};

export function Button({ look, size, isBusy = false, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
      className={cx(buttonClass(look, size), className)}
    >
      {isBusy && (
        <span
          aria-hidden
          className="size-3 animate-spin rounded-full border-2 border-current border-t-transparent"
        />
      )}
      {children}
    </button>
  );
}
