"use client";
import { Problem } from "@starform/contract/problems";
import { useEffect, useRef, useState } from "react";
import { paths, safeNext } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { StarMark } from "../../ui/icons.tsx";
import { ErrorNotice } from "../../ui/states.tsx";

type SignInPageProps = { code: string | undefined; next: string | undefined; cli: string };

/** One click from a link, or a pasted link or token. */
export function SignInPage({ code, next, cli }: SignInPageProps) {
  const [pasted, setPasted] = useState("");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(code !== undefined);
  const hasBegun = useRef(false);
  const enter = async (secret: string) => {
    setBusy(true);
    setError(undefined);
    try {
      await openSession(secret);
      window.location.replace(safeNext(next));
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  useEffect(() => {
    if (code === undefined || hasBegun.current) return;
    hasBegun.current = true;
    // The code leaves the address bar and the history before anything else happens.
    window.history.replaceState(null, "", paths.signIn(next));
    void enter(code);
  });
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex items-center gap-2">
          <StarMark className="size-6 text-accent" />
          <span className="text-base font-semibold tracking-tight">Starform</span>
        </div>
        <h1 className="text-lg font-semibold tracking-tight">Sign in</h1>
        <p className="mt-1 mb-4 text-[13px] text-ink-soft">
          Open the sign-in link that <code className="font-mono text-xs">npm start</code> printed, or paste it
          here. An API token does as well.
        </p>
        <form
          className="flex flex-col gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            if (pasted.trim()) void enter(secretOf(pasted));
          }}
        >
          <TextField
            label="Sign-in link or API token"
            type="password"
            name="secret"
            value={pasted}
            onChange={(event) => setPasted(event.target.value)}
            disabled={isBusy}
            isMono
          />
          <ErrorNotice error={error} />
          <Button type="submit" look="primary" isBusy={isBusy} disabled={!pasted.trim()}>
            {isBusy ? "Signing in" : "Sign in"}
          </Button>
        </form>
        <p className="mt-6 text-xs text-ink-faint">
          No link at hand? On the machine that runs Starform,{" "}
          <code className="font-mono whitespace-nowrap">npm run status</code> shows a new one; where you are
          signed in already, <code className="font-mono whitespace-nowrap">{cli} tokens create</code> makes a
          token.
        </p>
      </div>
    </main>
  );
}

/** A pasted link stands for its code. */
function secretOf(pasted: string): string {
  return URL.parse(pasted.trim())?.searchParams.get("code") ?? pasted.trim();
}

async function openSession(code: string): Promise<void> {
  const answer = await fetch("/api/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code }),
  }).catch(() => {
    throw new Error("the dashboard cannot be reached: is the platform running?");
  });
  if (answer.ok) return;
  const problem = Problem.safeParse(await answer.json().catch(() => undefined));
  throw new Error(problem.data?.detail ?? `the dashboard answered ${answer.status}`);
}
