import type { Provider } from "../provider.ts";
import { cpp } from "./cpp/cpp.ts";
import { deno } from "./deno/deno.ts";
import { dotnet } from "./dotnet/dotnet.ts";
import { elixir } from "./elixir/elixir.ts";
import { gleam } from "./gleam/gleam.ts";
import { go } from "./go/go.ts";
import { java } from "./java/java.ts";
import { node } from "./node/node.ts";
import { php } from "./php/php.ts";
import { python } from "./python/python.ts";
import { ruby } from "./ruby/ruby.ts";
import { rust } from "./rust/rust.ts";
import { shell } from "./shell/shell.ts";
import { staticfile } from "./staticfile/staticfile.ts";

/** Railpack's order: the first that detects the source plans it. */
export const providersInOrder: readonly Provider[] = [
  php,
  go,
  java,
  rust,
  ruby,
  elixir,
  python,
  deno,
  dotnet,
  node,
  gleam,
  cpp,
  staticfile,
  shell,
];
