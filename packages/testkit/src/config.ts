/** What the test run tells the tests (see test/setup). */
export function readTestkitConfig(env: Readonly<Record<string, string | undefined>>) {
  const databasesUrl = env["TESTKIT_DATABASES_URL"];
  if (!databasesUrl)
    throw new Error("there are no test databases: run the tests with vitest from the root of the repository");
  return { databasesUrl };
}
