import { z } from "zod";

/** Cursor pagination: `nextCursor` goes back in as `cursor`; absent at the end. Every list that can grow has it. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(256).optional(),
});
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional() });
