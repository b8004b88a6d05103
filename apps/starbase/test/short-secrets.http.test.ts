import * as variables from "@starform/contract/variables";
import { afterAll, beforeAll, expect, test } from "vitest";
import { redactor } from "../src/adapters/process-builder/redact.ts";
import { aProject, openApiWorld, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const secret = (value: string) => ({ value, isSecret: true });
const short = "12345";
const long = "123456";

test("whoever sets a secret that build logs do not hide is told so, and it is set", async () => {
  expect(redactor({ S: short, L: long })(`${short} ${long}`)).toBe(`${short} [L]`);
  const { ref } = await aProject(world);
  const set = async (changes: Record<string, string | null | ReturnType<typeof secret>>) =>
    (await world.owner(variables.setVariables, { params: ref, body: { variables: changes } })).notes;
  expect(await set({ PIN: secret(short), KEY: secret(long), PLAIN: short, EMPTY: secret("") })).toEqual([
    "PIN is shorter than 6 characters: it is not hidden in build logs",
  ]);
  expect(await set({ PIN: long })).toEqual([]);
  // It is a secret already, and stays one.
  expect(await set({ PIN: "1", KEY: secret(`${short}\n`) })).toEqual([
    "PIN, KEY are shorter than 6 characters: they are not hidden in build logs",
  ]);
  expect(await set({ PIN: null })).toEqual([]);
});

test("in a var group too", async () => {
  const { ref } = await aProject(world);
  const { project } = ref;
  const made = await world.owner(variables.createVarGroup, {
    params: { project },
    body: { name: "shared", variables: { PIN: secret(short) } },
  });
  expect(made.notes).toEqual(["PIN is shorter than 6 characters: it is not hidden in build logs"]);
  const params = { project, group: "shared" };
  const set = await world.owner(variables.setVarGroup, { params, body: { variables: { PIN: "1" } } });
  expect(set.notes).toEqual(made.notes);
});
