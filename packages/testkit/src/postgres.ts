import { readTestkitConfig } from "./config.ts";

export type TestDatabase = AsyncDisposable & { readonly url: string };

/**
 * A migrated, empty PostgreSQL database of its own (`postgresql://…`), dropped when it is disposed of and every
 * connection to it is closed: close pools first. The server is a throw-away one, started by the first test of the
 * run that asks. Only works under the repository's vitest configuration.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  const { databasesUrl } = readTestkitConfig(process.env);
  const { url } = await ask("POST", databasesUrl);
  const name = new URL(url).pathname;
  return {
    url,
    async [Symbol.asyncDispose]() {
      await ask("DELETE", databasesUrl + name);
    },
  };
}

async function ask(method: string, url: string): Promise<{ url: string }> {
  const response = await fetch(url, { method });
  const body = (await response.json()) as { url: string; error?: string };
  if (!response.ok) throw new Error(`the test databases are not available: ${body.error}`);
  return body;
}
