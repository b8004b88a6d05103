import { expect, test } from "vitest";
import { distributionClient } from "./distribution-client.ts";
import { isPublicAddress, publicLookup } from "./public-lookup.ts";

test.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "169.254.169.254",
  "168.63.129.16",
  "100.100.100.200",
  "172.31.255.255",
  "192.168.1.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "fd00::1",
  "fe80::1",
  "fd00:ec2::254",
  "fd20:ce::254",
  "not an address",
])("%s does not lie in the public network", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["1.1.1.1", "100.128.0.1", "172.32.0.1", "192.0.3.1", "2606:4700::1111", "::ffff:1.1.1.1"])(
  "%s lies in the public network",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each(["localhost", "127.0.0.1"])("looks %s up and refuses it", async (name) => {
  const error = await new Promise((resolve) => publicLookup(name, {}, resolve));
  expect(String(error)).toContain("does not lie in the public network");
});

test.each(["https://169.254.169.254", "https://[::1]", "https://localhost:9", "https://127.0.0.1:9"])(
  "a client for the public network does not connect to %s",
  async (origin) => {
    const client = distributionClient({ origin, isPublicOnly: true });
    await expect(client.call("GET", "/v2/")).rejects.toThrow("does not lie in the public network");
  },
);
