import type { Service } from "@starform/contract/services";

export type Step = { readonly title: string; readonly command: string };

/** A remote that names its user, so that Git asks for one thing only: the token. */
const withUser = (gitUrl: string): string => {
  const url = new URL(gitUrl);
  url.username = "token";
  return url.href;
};
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The three commands that bring a folder live with Git alone. */
export const gitSteps = ({ gitUrl, settings }: Pick<Service, "gitUrl" | "settings">): readonly Step[] => [
  {
    title: "In your app's folder, commit what you have (skip this in a repository that is up to date)",
    command: 'git init -b main && git add -A && git commit -m "First deployment"',
  },
  { title: "Tell Git where Starform is", command: `git remote add starform ${quoted(withUser(gitUrl))}` },
  { title: "Push", command: `git push starform HEAD:${quoted(settings.branch ?? "main")}` },
];

type CliInput = {
  cli: string;
  link: string | undefined;
  project: string;
  service: string;
  environment: string;
};

/** The three commands that bring a folder live with the CLI; `link` is a sign-in link that is good once. */
export const cliSteps = ({ cli, link, project, service, environment }: CliInput): readonly Step[] => [
  {
    title: link
      ? "Sign in, once per machine (this link is good once, for ten minutes)"
      : "Sign in, once per machine",
    command: `${quotedCli(cli)} login${link ? ` ${quoted(link)}` : ""}`,
  },
  { title: "Go to your app's folder", command: "cd path/to/your/app" },
  {
    title: "Send it",
    command: `${quotedCli(cli)} up --project ${quoted(project)} --service ${quoted(service)}${environment === "production" ? "" : ` --environment ${quoted(environment)}`}`,
  },
];

const quotedCli = (cli: string): string => (cli.startsWith("/") ? quoted(cli) : cli);
