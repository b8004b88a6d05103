import { cliCommand } from "../../config.ts";
import { SignInPage } from "../../features/sign-in/sign-in-page.tsx";

export const metadata = { title: "Sign in" };
type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function Page({ searchParams }: Props) {
  const { code, next } = await searchParams;
  return (
    <SignInPage
      code={typeof code === "string" ? code : undefined}
      next={typeof next === "string" ? next : undefined}
      cli={cliCommand().startsWith("/") ? "./starform" : cliCommand()}
    />
  );
}
