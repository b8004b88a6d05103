import { command, valueOf } from "../../command.ts";
import type { Context } from "../../context.ts";
import { ensureService } from "../../deploy/ensure-service.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";

export const remote = command<{ name?: string }>({
  brief: "add the remote for git push starform main",
  detail:
    "In a folder without a link, --yes makes a project and a service named after it. Git asks starform for the token, so nothing has to be typed and nothing secret is written into the repository.",
  flags: { name: valueOf("remote", "the remote's name (starform)") },
  async run(context, { name = "starform" }) {
    const { host, paint } = context;
    const folder = await repositoryOf(context);
    const api = await context.api({ url: context.url(folder) });
    const isLinkedHere = context.links.around(host.cwd)?.folder === host.cwd;
    const { service } = await ensureService(context, api, isLinkedHere ? host.cwd : folder);
    const git = (...args: string[]) => gitIn(context, folder, args);
    const has = await host.run("git", ["remote", "get-url", name], { cwd: folder });
    await (has.code === 0
      ? git("remote", "set-url", name, service.gitUrl)
      : git("remote", "add", name, service.gitUrl));
    await useCredentials(git, host.self, service.gitUrl, api.url);
    const branch = service.settings.branch ?? "main";
    const value = {
      remote: name,
      url: service.gitUrl,
      branch,
      project: service.projectSlug,
      service: service.name,
    };
    context.answer(value, () =>
      [
        `${paint("green", "✓")} remote ${name} is ${service.gitUrl}`,
        `deploy with: git push ${name} ${branch}`,
      ].join("\n"),
    );
    if (context.config.token && !context.credentials.of(api.url))
      context.note(
        "STARFORM_TOKEN must be set when you push too, because you are not signed in (starform login)",
      );
  },
});

/** The top folder of the repository; outside of one, a repository is made after a yes. */
async function repositoryOf(context: Context): Promise<string> {
  const { host } = context;
  const top = await host.run("git", ["rev-parse", "--show-toplevel"], { cwd: host.cwd });
  if (top.code === 0) return top.stdout.trim();
  if (top.code === 127)
    throw new ExitError(
      exitCodes.failed,
      "Git is not installed: install it, or deploy the folder with starform up",
    );
  if (!(await context.confirm("This folder is not a Git repository yet. Make it one (git init -b main)?")))
    throw new ExitError(exitCodes.failed, "nothing was done: starform up deploys a folder without Git");
  await gitIn(context, host.cwd, ["init", "--quiet", "-b", "main"]);
  return host.cwd;
}

async function gitIn({ host }: Context, cwd: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.run("git", args, { cwd });
  if (code !== 0)
    throw new ExitError(exitCodes.failed, `git ${args[0]} ended with ${code}: ${stderr.trim()}`);
  return stdout;
}

/** For this remote's address only, and before any helper of the machine, which would keep the token on its own terms. */
async function useCredentials(
  git: (...args: string[]) => Promise<string>,
  self: readonly string[],
  gitUrl: string,
  apiUrl: string,
): Promise<void> {
  const key = `credential.${new URL(gitUrl).origin}`;
  const program = [...self, "git-credential", "--url", apiUrl].map(quoted).join(" ");
  await git("config", "--local", "--replace-all", `${key}.helper`, "");
  await git("config", "--local", "--add", `${key}.helper`, `!${program}`);
  await git("config", "--local", `${key}.username`, "starform");
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
