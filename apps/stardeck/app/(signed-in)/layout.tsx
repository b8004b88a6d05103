import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import type { ReactNode } from "react";
import { cliCommand } from "../../config.ts";
import { Shell } from "../../features/shell/shell.tsx";
import { paths } from "../../paths.ts";
import { readSessionCookie, sessionCookieName } from "../../session/session-cookie.ts";

export default async function SignedInLayout({ children }: { children: ReactNode }) {
  const host = (await headers()).get("host");
  const held = readSessionCookie((await cookies()).get(sessionCookieName(host))?.value);
  if (!held) redirect(paths.signIn((await headers()).get("x-stardeck-path") ?? undefined));
  return <Shell installation={{ cli: cliCommand() }}>{children}</Shell>;
}
