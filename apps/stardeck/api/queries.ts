"use client";
import { allItems } from "@starform/client/client";
import type { CallInput, CallOutput, Route } from "@starform/contract/route";
import { isFault } from "@starform/std/fault";
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type Query,
} from "@tanstack/react-query";
import { call, keyOf } from "./client.ts";

type Options = { isEnabled?: boolean; everyMs?: number; keepsPrevious?: boolean };

/** The answer of a route, kept and shared under its key. */
export function useRoute<R extends Route>(route: R, input: CallInput<R>, options: Options = {}) {
  return useQuery({
    queryKey: keyOf(route, input),
    queryFn: ({ signal }): Promise<CallOutput<R>> => call(route, input, { signal }),
    enabled: options.isEnabled ?? true,
    ...(options.everyMs ? { refetchInterval: options.everyMs } : {}),
    ...(options.keepsPrevious ? { placeholderData: keepPreviousData } : {}),
  });
}

/** All items of a paged route, however many pages they are: for lists that are shown or chosen from whole. */
export function useList<R extends Route>(route: R, input: CallInput<R>) {
  return useQuery({
    queryKey: [...keyOf(route, input), "all"],
    queryFn: ({ signal }) =>
      allItems((asked, page, options) => call(asked, page, { ...options, signal }), route, input),
  });
}

/** The pages of a paged route, one after another. */
export function usePages<T>(
  route: Route,
  input: { params?: Record<string, unknown>; query?: Record<string, unknown> },
) {
  return useInfiniteQuery({
    queryKey: [...keyOf(route, input as CallInput<Route>), "pages"],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const query = { ...input.query, ...(pageParam ? { cursor: pageParam } : {}) };
      const page = await call(route, { ...input, query } as CallInput<Route>, { signal });
      return page as { items: T[]; nextCursor?: string };
    },
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
}

/** What a change was made over, where it may not be made over anything else. */
type MadeOver = { readonly ifMatch?: string | undefined };

/**
 * A call that changes something; everything that is shown is asked for again afterwards. So it is when the change was
 * made over what is not there any more: then the person sees what is, and saves again over that.
 */
export function useChange<R extends Route>(route: R, onDone?: (answer: CallOutput<R>) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ ifMatch, ...input }: CallInput<R> & MadeOver): Promise<CallOutput<R>> =>
      call(route, input as unknown as CallInput<R>, {
        ifMatch,
        ...(route.isIdempotent ? { idempotencyKey: crypto.randomUUID() } : {}),
      }),
    onSuccess: async (answer) => {
      onDone?.(answer);
      await queries.invalidateQueries();
    },
    onError: async (error) => {
      if (isFault(error, "precondition_failed")) await queries.invalidateQueries();
    },
  });
}

/** Whether a kept answer may be out of date when the project has changed: it is about it, or there is none yet. */
export const isAbout = (project: string) => (query: Query) => {
  const params = query.queryKey[1] as { project?: string; deployment?: string } | null;
  return params?.project === project || params?.deployment !== undefined || query.state.status === "error";
};

/** What heals by itself is tried again; what is refused is told at once. */
export const isWorthRetrying = (failures: number, error: unknown): boolean =>
  failures < 4 && (!isFault(error) || error.code === "unavailable" || error.code === "rate_limited");

/** How long until a question that failed is asked again by itself: an API that is away comes back. */
export const askAgainMs = (query: Query): number | false =>
  isFault(query.state.error, "unavailable") ? 5_000 : false;
