import { expect, test } from "vitest";
import { planned } from "./planned.ts";

const rustOf = async (files: Record<string, unknown>) => {
  const { info } = await planned({ "src/main.rs": "", ...files });
  return info.versions["rust"];
};

test("a crate that leaves edition and Rust's version to its workspace has what stands there", async () => {
  const workspace = '[workspace]\nmembers = ["m"]\n[workspace.package]\n';
  const crate = '[package]\nname = "app"\nversion.workspace = true\nedition.workspace = true\n';
  expect(
    await rustOf({
      "Cargo.toml": `${workspace}edition = "2021"\nrust-version = "1.80"\n${crate}rust-version.workspace = true\n`,
    }),
  ).toEqual({ version: "1.80", reason: "Cargo.toml's rust-version says 1.80" });
  expect(await rustOf({ "Cargo.toml": `${workspace}edition = "2021"\n${crate}` })).toEqual({
    version: "1.84.0",
    reason: "Cargo.toml says edition 2021",
  });
});

test("a rust-toolchain without an ending may hold what rust-toolchain.toml does", async () => {
  const crate = { "Cargo.toml": '[package]\nname = "app"\n' };
  expect(await rustOf({ ...crate, "rust-toolchain": '# ours\n[toolchain]\nchannel = "1.79"\n' })).toEqual({
    version: "1.79",
    reason: "rust-toolchain says 1.79",
  });
  expect(await rustOf({ ...crate, "rust-toolchain": "1.78.0\n" })).toMatchObject({ version: "1.78.0" });
});
