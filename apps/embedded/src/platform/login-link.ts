import { createLoginLink } from "@starform/contract/identity";
import { request } from "node:http";

/** A one-click sign-in link for the owner, good once. */
export async function ownerLoginUrl(apiUrl: string, ownerToken: string): Promise<string> {
  const { status, body } = await send(
    new URL(createLoginLink.path, apiUrl),
    createLoginLink.method,
    ownerToken,
  );
  if (status !== createLoginLink.status)
    throw new Error(`the API refused a sign-in link (${status}): ${body.slice(0, 500)}`);
  return createLoginLink.response.parse(JSON.parse(body)).url;
}

function send(url: URL, method: string, token: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, "content-length": "0" };
    const sent = request(url, { method, headers, timeout: 10_000, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body })).once("error", reject);
    });
    sent
      .once("timeout", () => sent.destroy(new Error("the API did not answer in 10 s")))
      .once("error", reject)
      .end();
  });
}
