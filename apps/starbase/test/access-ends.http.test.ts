import { streamItems, type Call } from "@starform/client/client";
import * as deployments from "@starform/contract/deployments";
import * as identity from "@starform/contract/identity";
import * as logs from "@starform/contract/logs";
import * as projects from "@starform/contract/projects";
import * as workspaces from "@starform/contract/workspaces";
import { until } from "@starform/std/retry";
import {
  telemetryCanRun,
  telemetryProcess,
  type TelemetryProcess,
} from "@starform/testkit/telemetry-process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clickhouseLogStore, type ClickhouseLogStore } from "../src/adapters/clickhouse/log-store.ts";
import { aMember, aProject, openApiWorld, ownerToken, type ApiWorld } from "./api-world.ts";
import { aRepository } from "./git-http.ts";

const canRun = process.env.CI ? true : telemetryCanRun();
const image = `registry.test/app@sha256:${"a".repeat(64)}`;

let world: ApiWorld;
let telemetry: TelemetryProcess | undefined;
let store: ClickhouseLogStore | undefined;
beforeAll(async () => {
  telemetry = canRun ? await telemetryProcess() : undefined;
  world = await openApiWorld({
    runtime: "docker",
    settings: telemetry
      ? {
          STARBASE_CLICKHOUSE_URL: telemetry.url,
          STARBASE_CLICKHOUSE_USER: telemetry.user,
          STARBASE_CLICKHOUSE_PASSWORD: telemetry.password,
        }
      : {},
  });
  if (!telemetry) return;
  store = clickhouseLogStore(telemetry);
  await store.ensureSchema();
});
afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await telemetry?.[Symbol.asyncDispose]();
});

type Made = Awaited<ReturnType<typeof aProject>>;
const aToken = async (as: Call = world.owner) =>
  as(identity.createToken, { body: { name: `t-${Math.random()}` } });

/** Somebody who follows a service's log with a token of theirs. */
function aTail(made: Made, token: string) {
  const lines: string[] = [];
  const left = new AbortController();
  const tail = { lines, leave: () => left.abort(), ended: undefined as "ended" | Error | undefined };
  const items = streamItems(
    { url: world.url, token: () => token },
    logs.tailLogs,
    { params: made.ref, query: {} },
    { signal: left.signal },
  );
  void (async () => {
    for await (const { message } of items) lines.push(message);
  })().then(
    () => (tail.ended = "ended"),
    (error: Error) => (tail.ended = error),
  );
  return tail;
}
let seq = 0;
const say = ({ project, service }: Made, message: string) =>
  store!.append([
    {
      tsMs: Date.now(),
      workspaceId: project.workspaceId,
      projectId: project.id,
      environment: "production",
      serviceId: service.id,
      level: "info",
      stream: "stdout",
      message,
      seq: seq++,
    },
  ]);
async function seeing(made: Made, token: string) {
  const tail = aTail(made, token);
  await say(made, "first");
  await until("the tail shows a line", () => tail.lines.includes("first"));
  return tail;
}

describe.skipIf(!canRun)("a log tail", () => {
  test("ends when its token is revoked, and shows nothing that is written later; others go on", async () => {
    const made = await aProject(world);
    const { secret, id } = await aToken();
    const [tail, other] = [await seeing(made, secret), await seeing(made, ownerToken)];
    await world.owner(identity.deleteToken, { params: { token: id } });
    await until("it has ended", () => tail.ended === "ended", { withinMs: 8_000 });
    await say(made, "later");
    await until("the owner's goes on", () => other.lines.includes("later"));
    expect([tail.lines.includes("later"), other.ended]).toEqual([false, undefined]);
    other.leave();
  });

  test("ends with the membership, with the role in the project, and with the session", async () => {
    const made = await aProject(world);
    const email = (who: string) => `${who}-${made.ref.project}@example.org`;
    const role = { project: made.ref.project, role: "viewer" } as const;
    const gone = await aMember(world, email("gone"), "member", role);
    const apart = await aMember(world, email("apart"), "member", role);
    const { code } = await world.owner(identity.createLoginLink, {});
    const session = await world.as(undefined)(identity.signIn, { body: { code } });
    const tails = [
      await seeing(made, (await aToken(gone)).secret),
      await seeing(made, (await aToken(apart)).secret),
      await seeing(made, session.accessToken),
    ];
    await world.owner(workspaces.deleteMember, { params: { workspace: "home", email: email("gone") } });
    await until("the first has ended", () => tails[0]!.ended === "ended", { withinMs: 8_000 });
    expect([tails[1]!.ended, tails[2]!.ended]).toEqual([undefined, undefined]);
    await world.owner(projects.deleteProjectMember, {
      params: { project: made.ref.project, email: email("apart") },
    });
    await until("the second has ended", () => tails[1]!.ended === "ended", { withinMs: 8_000 });
    await world.as(session.accessToken)(identity.signOut, {});
    await until("the third has ended", () => tails[2]!.ended === "ended", { withinMs: 8_000 });
  });

  test("is one of at most twenty of a person, and the next is told so", { timeout: 180_000 }, async () => {
    const made = await aProject(world);
    const person = await aMember(world, `many-${made.ref.project}@example.org`, "member", {
      project: made.ref.project,
      role: "viewer",
    });
    const [one, two] = [(await aToken(person)).secret, (await aToken(person)).secret];
    const tails = Array.from({ length: 20 }, (_, at) => aTail(made, at % 2 ? one : two));
    await say(made, "first");
    await until("all show a line", () => tails.every(({ lines }) => lines.includes("first")), {
      withinMs: 60_000,
    });
    const more = aTail(made, one);
    await until("one more is refused", () => more.ended !== undefined, { withinMs: 60_000 });
    expect(more.ended).toMatchObject({
      code: "rate_limited",
      message: expect.stringContaining("20 logs already"),
    });
    await seeing(made, ownerToken).then((other) => other.leave());
    tails[0]!.leave();
    await until("there is room again", async () => {
      const again = aTail(made, one);
      await until("it shows a line or is refused", () => again.lines.length > 0 || again.ended);
      again.leave();
      return again.lines.length > 0;
    });
    for (const tail of tails) tail.leave();
  });
});

describe("who waits for a deployment", () => {
  test("is told at once when their token is revoked", async () => {
    const { ref } = await aProject(world);
    const made = await world.owner(deployments.createDeployment, { params: ref, query: {}, body: { image } });
    const { secret, id } = await aToken();
    const waiting = Promise.allSettled([
      world.as(secret)(deployments.getDeployment, {
        params: { deployment: made.id },
        query: { seen: made.revision, wait: 60 },
      }),
      world.as(secret)(logs.getProjectStatus, {
        params: { project: ref.project },
        query: { seen: await revisionOf(ref.project), wait: 60 },
      }),
    ]);
    await world.owner(identity.deleteToken, { params: { token: id } });
    for (const outcome of await waiting)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "unauthenticated" } });
  });

  test("by pushing is told that the push stands, when their token is revoked", async () => {
    const { ref } = await aProject(world);
    await using repository = await aRepository();
    const { secret, id } = await aToken();
    const remote = new URL(`${world.url}/git/${ref.project}/${ref.service}.git`);
    Object.assign(remote, { username: "x", password: secret });
    const pushing = repository.git("push", remote.toString(), "main");
    const list = () => world.owner(deployments.listDeployments, { params: ref, query: {} });
    await until("it deploys", async () => (await list()).items.length === 1);
    await world.owner(identity.deleteToken, { params: { token: id } });
    const { code, text } = await pushing;
    expect({ code, text }).toMatchObject({
      code: 0,
      text: expect.stringMatching(/your access has ended|this token is wrong, expired or revoked/),
    });
    expect(text).toContain("what was pushed stays");
    expect((await list()).items[0]!.status).toBe("pending");
  });
});

const revisionOf = async (project: string) =>
  (await world.owner(logs.getProjectStatus, { params: { project }, query: {} })).revision;
