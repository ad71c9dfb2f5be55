// What controllers return: a plain object, a page, or an object with its version.
import { z } from 'zod';
import { AppError } from '../common/errors.js';

/** One page of a list. `next_cursor` is null on the last one. */
export interface List<Item> {
  object: 'list';
  data: Item[];
  has_more: boolean;
  next_cursor: string | null;
}

/** A page as answered; there is more exactly when there is a next cursor. `Link: rel="next"` is added on the way out. */
export const list = <Item>(data: Item[], nextCursor: string | null): List<Item> => ({
  object: 'list',
  data,
  has_more: nextCursor !== null,
  next_cursor: nextCursor,
});

/** Query parameters of every list; spread them into the route's strict schema. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Most rows of a page' }),
  cursor: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .meta({ description: '`next_cursor` of the page before, with the same filter and sort' }),
};

/** Schema of a {@link List}; `id` names it in the OpenAPI document. */
export const listSchema = <Item extends z.ZodType>(id: string, item: Item) =>
  z
    .object({
      object: z.literal('list'),
      data: z.array(item),
      has_more: z.boolean(),
      next_cursor: z.string().nullable(),
    })
    .meta({ id });

/** A filter that may be repeated (OR): always an array once parsed. */
export const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (Array.isArray(value) || value === undefined ? value : [value]), z.array(item).max(100));

/** An answer with more than a body. With `etag`, `If-None-Match` is answered 304. */
export class ApiResponse<Body> {
  constructor(
    readonly body: Body,
    readonly extras: { status?: number; etag?: string; headers?: Record<string, string> } = {},
  ) {}
}

/** Entity tag of a revision. Times of mere use (`last_used_at`) do not change it. */
export const etagOf = (revision: number | string): string => `"${revision}"`;

/** An object with its revision as entity tag. */
export const versioned = <Body>(body: Body, revision: number, status?: number): ApiResponse<Body> =>
  new ApiResponse(body, { etag: etagOf(revision), ...(status !== undefined && { status }) });

/** The same answer with another status. */
export const withStatus = <Body>({ body, extras }: ApiResponse<Body>, status: number): ApiResponse<Body> =>
  new ApiResponse(body, { ...extras, status });

const tagsOf = (header: string): string[] => header.split(',').map((tag) => tag.trim());

/** RFC 9110 13.1.2, weak comparison: true when the caller has this version already. */
export const isUnchanged = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  tagsOf(ifNoneMatch).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag.replace(/^W\//, ''));

/** RFC 9110 13.1.1, strong comparison. Throws `precondition_failed` when the object has another revision. */
export function requireMatch(ifMatch: string | undefined, revision: number | string): void {
  if (ifMatch === undefined || tagsOf(ifMatch).some((tag) => tag === '*' || tag === etagOf(revision))) return;
  throw new AppError('precondition_failed', 'the object has changed: read it again', {
    headers: { etag: etagOf(revision) },
  });
}
