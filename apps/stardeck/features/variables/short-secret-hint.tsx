import { hiddenCharsMin, isHiddenInBuildLogs } from "@starform/contract/variables";

/** Beside a secret that is given a value which build logs do not hide; nothing beside any other. */
export function ShortSecretHint({ value, isSecret }: { value: string | undefined; isSecret: boolean }) {
  if (!isSecret || value === undefined || isHiddenInBuildLogs(value)) return null;
  return (
    <p className="font-sans text-xs text-ink-faint">
      Shorter than {hiddenCharsMin} characters, so build logs do not hide it.
    </p>
  );
}
