import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { writeFiles } from "@starform/testkit/terminal";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const staticApp = fileURLToPath(new URL("../../examples/static", import.meta.url));
const patienceMs = 60_000;
const browserFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser of this machine; on a laptop without one the story is left out, in CI it fails. */
const browserPath = [
  "/usr/bin/chromium",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => existsSync(path));

describe.skipIf(!browserPath && !process.env["CI"])("the dashboard", () => {
  const scratch = mkdtempSync(join(tmpdir(), "starform-dashboard-"));
  let platform: Platform;
  let browser: BrowserContext;
  let page: Page;
  let project: string;
  let attempts = 0;
  const complaints: string[] = [];

  beforeAll(async () => {
    platform = await openPlatform();
    browser = await chromium.launchPersistentContext(join(scratch, "browser"), {
      executablePath: browserPath ?? "/usr/bin/chromium",
      headless: true,
      args: browserFlags,
      viewport: { width: 1280, height: 900 },
    });
    browser.setDefaultTimeout(patienceMs);
    browser.setDefaultNavigationTimeout(patienceMs);
    page = await browser.newPage();
    page.on("console", (said) => {
      // An interface that comes or goes with somebody's container is no fault of the page.
      const isOfThePage = !said.text().includes("ERR_NETWORK_CHANGED");
      if (said.type() === "error" && isOfThePage) complaints.push(`${page.url()}: ${said.text()}`);
    });
    page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    await platform?.[Symbol.asyncDispose]();
    rmSync(scratch, { recursive: true, force: true });
  });

  const sees = (text: string | RegExp) => page.getByText(text).filter({ visible: true }).first().waitFor();
  const press = (name: string | RegExp) => page.getByRole("button", { name }).click();
  const goTo = (tab: string) =>
    page.getByRole("navigation", { name: "Service" }).getByRole("link", { name: tab }).click();

  const notHidden = "Shorter than 6 characters, so build logs do not hide it.";
  async function addSecret(name: string, value: string): Promise<void> {
    await page.getByLabel("Name of the new variable").last().fill(name);
    await page.getByLabel("Value of the new variable").last().fill(value);
    await page.getByLabel("Secret").last().check();
    await page.getByRole("button", { name: "Add" }).last().click();
  }

  /** A sign-in link as `npm start` prints one; it is good once. */
  async function aSignInLink(): Promise<string> {
    const answer = await fetch(`${platform.apiUrl}/v1/auth/login-links`, {
      method: "POST",
      headers: { authorization: `Bearer ${platform.ownerToken}` },
    });
    return ((await answer.json()) as { url: string }).url;
  }

  /** The page moves on before it has loaded to the end. */
  async function signInWith(link: string): Promise<void> {
    await page.goto(link, { waitUntil: "commit" });
    await page.getByRole("heading", { name: "Projects" }).waitFor();
  }

  /** Types the commands that the page shows, in a new copy of the app; the token answers Git's question. */
  async function pushWith(commands: readonly string[], token: string): Promise<void> {
    const folder = join(scratch, project);
    cpSync(staticApp, folder, { recursive: true });
    const askpass = join(scratch, "askpass.sh");
    writeFileSync(askpass, '#!/bin/sh\necho "$STORY_TOKEN"\n', { mode: 0o755 });
    const env = {
      ...process.env,
      HOME: scratch,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_ASKPASS: askpass,
      GIT_TERMINAL_PROMPT: "0",
      STORY_TOKEN: token,
      ...Object.fromEntries(
        ["AUTHOR", "COMMITTER"].flatMap((who) => [
          [`GIT_${who}_NAME`, "A Person"],
          [`GIT_${who}_EMAIL`, "person@example.com"],
        ]),
      ),
    };
    for (const command of commands)
      await new Promise<void>((resolve, reject) =>
        execFile("sh", ["-c", command], { cwd: folder, env }, (error, stdout, stderr) =>
          error ? reject(new Error(`${command}: ${stdout}${stderr}`)) : resolve(),
        ),
      );
  }

  /** A repository in a folder of its own, with one commit on `trunk`; answers its address. */
  function aRepository(name: string, files: Record<string, string>): string {
    const dir = join(scratch, `${name}-${attempts}`);
    writeFiles(dir, files);
    const env = { PATH: process.env["PATH"], HOME: scratch, GIT_CONFIG_NOSYSTEM: "1" };
    const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    for (const args of [
      ["init", "--quiet", "--initial-branch=trunk"],
      ["add", "--all"],
      [...who, "commit", "--quiet", "--message=first"],
    ])
      execFileSync("git", args, { cwd: dir, env });
    return pathToFileURL(dir).href;
  }

  test("leads from the sign-in link to a live app, its logs, its variables and back by a rollback", async () => {
    project = `shop-${randomBytes(3).toString("hex")}`;
    complaints.length = 0;
    // A link is good once: another attempt of this test needs another.
    await signInWith(attempts++ === 0 ? platform.ownerLoginUrl : await aSignInLink());
    expect(page.url()).not.toContain("code=");

    await page.getByRole("link", { name: "New project" }).click();
    await page.getByLabel("Name").fill(project);
    await press("Create project");
    await sees("What do you deploy first?");
    await press("Create service");

    await sees("Waiting for your first push");
    await press("Make a token");
    await sees("shown this once");
    const shown = await page.getByRole("main").locator("code").allInnerTexts();
    expect(shown).toHaveLength(4);
    await pushWith(shown.slice(0, 3), shown[3]!);
    // Nothing is reloaded: the page has followed the push by itself.
    await sees("Your app is live");
    await sees("1 of 1 ready");
    const address = await page.getByRole("link", { name: "Open" }).getAttribute("href");
    const app = await browser.newPage();
    await app.goto(address!);
    expect(await app.getByRole("heading").innerText()).toBe("hello from static");
    await app.close();

    await goTo("Logs");
    await sees(/^serving/);
    await page.getByLabel("Filter lines by text").fill("no line says this");
    await sees("No line fits the filter");
    await page.getByLabel("Filter lines by text").fill("serving");
    await sees(/^serving/);

    await goTo("Variables");
    await addSecret("API_KEY", "s3cret-value");
    await addSecret("PIN", "12345");
    await press("Save and deploy");
    await sees("A deployment with the new variables has begun");
    expect(await page.content()).not.toContain("s3cret-value");
    const variable = (name: string) =>
      page.getByRole("listitem").filter({ has: page.getByText(name, { exact: true }) });
    await variable("API_KEY").getByRole("button", { name: "Reveal" }).click();
    await sees("s3cret-value");
    await variable("PIN").getByText(notHidden).waitFor();
    expect(await page.getByText(notHidden).count()).toBe(1);

    await goTo("Deployments");
    const row = (number: number) =>
      page.getByRole("listitem").filter({ has: page.getByRole("link", { name: `#${number}`, exact: true }) });
    await row(2).getByText("Live").waitFor();
    await press("Actions of deployment #1");
    await page.getByRole("menuitem", { name: "Roll back to this" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.getByRole("heading", { name: "Deployment #3" }).getByText("Live").waitFor();
    await sees("Receipt");
    expect(complaints).toEqual([]);
  });

  test("changes a var group over what was shown only, and keeps what a person wrote meanwhile", async () => {
    await signInWith(await aSignInLink());
    const group = `group-${attempts++}`;
    const groups = new URL(`/v1/projects/${project}/var-groups`, platform.apiUrl).href;
    const asOwner = (url: string, method: string, body?: object) =>
      fetch(url, {
        method,
        headers: { authorization: `Bearer ${platform.ownerToken}`, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
      });
    await asOwner(groups, "POST", { name: group });
    await page.goto(new URL(`/projects/${project}/production/var-groups`, platform.dashboardUrl).href);
    await sees(group);
    // Somebody else is quicker: between the click and its arrival.
    let isFirst = true;
    await page.route(`**/var-groups/${group}`, async (route) => {
      if (isFirst && route.request().method() === "PATCH") {
        isFirst = false;
        await asOwner(`${groups}/${group}`, "PATCH", { variables: { THEIRS: "1" } });
      }
      await route.continue();
    });
    const panel = page.getByRole("region", { name: "Unsaved entries" });
    await page.getByLabel("Name of the new variable").last().fill("MINE");
    await page.getByLabel("Value of the new variable").last().fill("what I wrote");
    await page.getByRole("button", { name: "Add" }).last().click();
    await panel.getByText(/changed since you read it/).waitFor();
    await panel.getByText("MINE=what I wrote").waitFor();
    await page.getByText("THEIRS").waitFor();
    await panel.getByRole("button", { name: "Save again" }).click();
    await page.getByRole("button", { name: "Delete MINE" }).waitFor();
    await panel.waitFor({ state: "hidden" });
    const { entries } = (await (await asOwner(`${groups}/${group}`, "GET")).json()) as {
      entries: { name: string; value: string }[];
    };
    expect(entries.map(({ name, value }) => `${name}=${value}`).toSorted()).toEqual([
      "MINE=what I wrote",
      "THEIRS=1",
    ]);
    await addSecret("PIN", "12345");
    await page.getByText(notHidden).waitFor();
    await page.unroute(`**/var-groups/${group}`);
    // The browser itself tells of the refusal, which was meant.
    complaints.splice(0, complaints.length, ...complaints.filter((one) => !one.includes("412")));
  });

  test("shows what a repository holds, makes what is chosen of it, and says what would help where there is nothing", async () => {
    await signInWith(await aSignInLink());
    const complained = complaints.length;
    const shop = `mono-${randomBytes(3).toString("hex")}`;
    const asOwner = async (path: string, body?: object) => {
      const answer = await fetch(new URL(path, platform.apiUrl), {
        method: body ? "POST" : "GET",
        headers: { authorization: `Bearer ${platform.ownerToken}`, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
      });
      return (await answer.json()) as { items: { name: string; settings: object; source: object }[] };
    };
    await asOwner("/v1/projects", { slug: shop });
    const node = '{"scripts":{"start":"node server.js"}}';
    const server = 'require("node:http").createServer((_, r) => r.end("well")).listen(process.env.PORT);';
    const repository = aRepository("several", {
      "api/package.json": node,
      "api/server.js": server,
      "extra/package.json": node,
      "site/package.json": node,
      "site/server.js": server,
      "site/.env.example": "API_URL=${{api.STARFORM_PRIVATE_URL}}",
    });

    await page.goto(new URL(`/projects/${shop}/production`, platform.dashboardUrl).href);
    await sees("What do you deploy first?");
    await press("Git repository");
    await page.getByLabel("Repository URL").fill(repository);
    await press("Look for services");
    await sees("3 services found");
    // What was found is the page's address: loaded again, it is there without looking again.
    await page.reload();
    await sees("What do you deploy first?");
    await sees("3 services found");
    expect(await page.getByLabel("Repository URL").inputValue()).toBe(repository);
    expect(await asOwner(`/v1/projects/${shop}/services`)).toMatchObject({ items: [] });
    await page.getByRole("checkbox", { name: "Create extra" }).uncheck();
    await page.getByLabel("Name of site").fill("api");
    await sees("Another one on this list has the same name");
    expect(await page.getByRole("button", { name: "Create 2 services" }).isDisabled()).toBe(true);
    await page.getByLabel("Name of site").fill("front");
    await press("Create 2 services");
    for (const name of ["api", "front"])
      await page
        .getByRole("listitem")
        .filter({ has: page.getByRole("link", { name, exact: true }) })
        .getByText("Running")
        .waitFor();
    const { items } = await asOwner(`/v1/projects/${shop}/services`);
    expect(items).toMatchObject([
      { name: "api", source: { kind: "git", url: repository }, settings: { rootDirectory: "api" } },
      { name: "front", settings: { rootDirectory: "site", branch: "trunk" } },
    ]);
    const variables = await asOwner(`/v1/projects/${shop}/services/front/variables`);
    expect(variables.items).toMatchObject([{ name: "API_URL", value: "${{api.STARFORM_PRIVATE_URL}}" }]);

    // A second time, what is there is left as it is.
    await page.getByRole("link", { name: "New service" }).click();
    await press("Git repository");
    await page.getByLabel("Repository URL").fill(repository);
    await press("Look for services");
    await sees("The project has a service of this name");
    expect(await page.getByRole("checkbox", { name: "Create api" }).isChecked()).toBe(false);
    await page.setViewportSize({ width: 390, height: 844 });
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1280, height: 900 });

    await page.getByLabel("Branch").fill("no-such");
    await press("Look again");
    await sees(/There is no branch, tag or commit "no-such"/);
    await page.getByLabel("Branch").fill("");
    await page.getByLabel("Repository URL").fill(aRepository("none", { "tool.py": "print(1)" }));
    await press("Look again");
    await sees("No app was found in the source");
    await sees(/Rename tool.py to main.py/);
    expect(complaints.slice(complained)).toEqual([]);
  });

  test("fits a phone on every page, tells a stranger's project as not found, and shows nothing signed out", async () => {
    await signInWith(await aSignInLink());
    const complained = complaints.length;
    const place = `/projects/${project}/production`;
    const service = `${place}/services/web`;
    const pages = [
      "/",
      "/new",
      "/tokens",
      "/workspaces/home/members",
      "/workspaces/home/audit",
      place,
      `${place}/new-service`,
      `${place}/var-groups`,
      `${place}/settings`,
      service,
      `${service}/logs`,
      `${service}/variables`,
      `${service}/metrics`,
      `${service}/settings`,
    ];
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of pages) {
      await page.goto(new URL(path, platform.dashboardUrl).href);
      await page.getByRole("heading").first().waitFor();
      await page.getByRole("status", { name: "Loading" }).first().waitFor({ state: "hidden" });
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(beyond, `${path} is wider than the screen`).toBeLessThanOrEqual(0);
    }
    expect(complaints.slice(complained)).toEqual([]);

    await page.goto(new URL("/projects/somebody-elses/production", platform.dashboardUrl).href);
    await sees("Project not found");
    await press("Account");
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto(new URL(`${service}/logs`, platform.dashboardUrl).href);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(new URL(page.url()).searchParams.get("next")).toBe(`${service}/logs`);
  });
});
