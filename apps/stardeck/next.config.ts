import type { NextConfig } from "next";
import { readBuildConfig } from "./config.ts";

const { distDir, workspaceRoot } = readBuildConfig(process.env);

export default {
  distDir,
  poweredByHeader: false,
  // A compressor holds lines of a live log back; what stands before a public dashboard compresses.
  compress: false,
  reactStrictMode: true,
  devIndicators: false,
  // `npm run check` checks the types; a start need not wait for it.
  typescript: { ignoreBuildErrors: true },
  // Each state of the sources is built once, in a folder of its own.
  experimental: { turbopackFileSystemCacheForBuild: false },
  turbopack: { root: workspaceRoot },
  outputFileTracingRoot: workspaceRoot,
} satisfies NextConfig;
