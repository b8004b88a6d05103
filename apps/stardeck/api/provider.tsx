"use client";
import { QueryClient, QueryClientProvider, type Query } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { askAgainMs, isWorthRetrying } from "./queries.ts";

export function ApiProvider({ children }: { children: ReactNode }) {
  const [client] = useState(
    () =>
      new QueryClient({
        defaultOptions: {
          queries: {
            staleTime: 5_000,
            retry: isWorthRetrying,
            refetchInterval: (query) => askAgainMs(query as Query),
            retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 5_000),
          },
        },
      }),
  );
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}
