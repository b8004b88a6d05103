import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { until } from "@starform/std/retry";
import { openLoad } from "@starform/testkit/load";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { runtimes } from "@starform/testkit/runtimes";
import { storyApp } from "@starform/testkit/story-app";
import { openTerminal, outcomeOf, writeFiles, type Terminal } from "@starform/testkit/terminal";
import { knock, untilAnswers, visit } from "@starform/testkit/visit";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

const perSecond = 200;
const deploys = 10;
const patience = { withinMs: 90_000 };

describe.each(runtimes())("without a pause, on the runtime $name", ({ name: runtime }) => {
  let platform: Platform;
  let person: Terminal;
  let folder: string;
  let url: string;
  const at = () => ({ cwd: folder });
  const lay = (app: Parameters<typeof storyApp>[0]) => writeFiles(folder, storyApp(app));

  const greet = async (name: string) => {
    const set = ["variables", "set", `GREETING=${name}`];
    const { deploymentId } = await person.json<{ deploymentId: string }>(set, at());
    return person.deploy(["deployments", "watch", deploymentId], at());
  };

  beforeAll(async () => {
    platform = await openPlatform({ runtime });
    person = openTerminal(platform);
    folder = person.folder("steady");
  });
  beforeEach(async () => {
    lay({ version: "v0" });
    ({ url } = await person.deploy(["up", "--yes"], at()));
    await untilAnswers(url, "v0");
  });
  afterAll(async () => {
    person?.[Symbol.dispose]();
    await platform?.[Symbol.asyncDispose]();
  });

  test(`ten deploys, one that fails and a rollback under ${perSecond} requests a second cost not one request`, async () => {
    // What was told to serve, in order; an answer may come from what served when it was asked for, or from later on.
    const meant = [(await visit(url)).body.trimEnd()];
    let settled = 0;
    const load = openLoad({
      url,
      perSecond,
      mark: () => settled,
      judge({ body }, sent, began) {
        const said = body.slice(0, body.length - sent.body.length).trimEnd();
        if (!body.endsWith(` ${sent.body}`)) return `answered somebody else: ${body}`;
        return meant.slice(began).includes(said) ? undefined : `${said} was not meant to serve`;
      },
    });
    /** Makes a version serve by `change`, and waits until nothing older can answer. */
    const replaceBy = async (answer: string, change: () => Promise<unknown>) => {
      meant.push(answer);
      await change();
      await untilAnswers(url, answer);
      // The one before may answer what reached it before the table changed, so it goes out one step later.
      settled = meant.length - 2;
    };
    const deployments: string[] = [];
    try {
      for (let n = 1; n <= deploys; n += 1) {
        if (n % 2 === 0) lay({ version: `v${n}` });
        await replaceBy(n % 2 === 0 ? `v${n} ada-${n - 1}` : `v${n - 1} ada-${n}`, async () => {
          const { deploymentId } = n % 2 === 0 ? await person.deploy(["up"], at()) : await greet(`ada-${n}`);
          deployments.push(deploymentId);
        });
      }
      lay({ version: "broken", exitsWith: 3 });
      const failed = await person.starform(["up", "--json"], at());
      expect({ code: failed.code, status: outcomeOf(failed).status }).toEqual({ code: 1, status: "failed" });
      await replaceBy("v4 ada-3", () => person.deploy(["rollback", deployments[3]!], at()));
    } finally {
      const report = await load.stop();
      console.log(
        `${report.answered} of ${report.sent} requests in ${report.seconds.toFixed(0)} s were answered right; ${report.leftOut} were left out by this machine`,
      );
      expect(report.failures).toEqual([]);
      expect(report.answered).toBe(report.sent);
      // A machine that cannot keep the rate up has not shown what this is about.
      expect(report.sent).toBeGreaterThan(0.9 * perSecond * report.seconds);
    }
  });

  test("a stream and a socket that are open when a new version comes live on until the old one is drained", async () => {
    await person.json(["services", "update", "steady", "--drain", "10"], at());
    lay({ version: "old" });
    await person.deploy(["up"], at());
    await untilAnswers(url, "old");
    const [events, socket] = [await openEvents(url), await openEcho(url)];
    expect(await socket.ask("first")).toBe("old first");
    lay({ version: "fresh" });
    const deploying = person.deploy(["up"], at());
    await untilAnswers(url, "fresh");
    // The new one serves; what was open is still the old one's, and still at work.
    const seen = events.text().length;
    await until("more of the stream", () => events.text().length > seen, patience);
    expect(await socket.ask("second")).toBe("old second");
    await deploying;
    await until("both to end", () => events.isOver() && socket.isOver(), patience);
    expect(events.text()).toMatch(/^(data: old\n\n)+data: goodbye\n\n$/);
    expect(socket.text()).toMatch(/goodbye$/);
  });
});

async function openEvents(url: string) {
  const sent = knock(url, { path: "/events" });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return listen(response);
}

async function openEcho(url: string) {
  const sent = knock(url, { path: "/echo" });
  sent.setHeader("connection", "upgrade");
  sent.setHeader("upgrade", "echo");
  sent.end();
  const [, socket] = (await once(sent, "upgrade")) as [IncomingMessage, Duplex];
  const heard = listen(socket);
  return {
    ...heard,
    async ask(word: string) {
      const before = heard.text().length;
      socket.write(word);
      await until(`an echo of ${word}`, () => heard.text().endsWith(word), patience);
      return heard.text().slice(before);
    },
  };
}

/** Gathers what a stream says, and how it ends. */
function listen(stream: NodeJS.ReadableStream) {
  let [text, isOver] = ["", false];
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => (text += chunk));
  stream.once("end", () => (isOver = true));
  stream.once("error", (error: Error) => (text += `broken: ${error.message}`));
  return { text: () => text, isOver: () => isOver };
}
