// Response types of controllers: list pages, and responses with status, ETag or headers.
import { z } from 'zod';
import { AppError } from '../common/errors.js';

/** One page of a list. `next_cursor` is null on the last one. */
export interface List<Item> {
  object: 'list';
  data: Item[];
  has_more: boolean;
  next_cursor: string | null;
}

/** Builds a page; null: the last one. The interceptor adds `Link: rel="next"`. */
export const list = <Item>(data: Item[], nextCursor: string | null): List<Item> => ({
  object: 'list',
  data,
  has_more: nextCursor !== null,
  next_cursor: nextCursor,
});

/** Query parameters of every list; spread them into the route's strict schema. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Maximum number of rows' }),
  cursor: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .meta({ description: '`next_cursor` of the previous page, with the same filter and sort' }),
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

/** A filter that may be repeated (OR); parses to an array. */
export const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (Array.isArray(value) || value === undefined ? value : [value]), z.array(item).max(100));

/** A response with more than a body. With `etag`, a matching `If-None-Match` gets 304. */
export class ApiResponse<Body> {
  constructor(
    readonly body: Body,
    readonly extras: { status?: number; etag?: string; headers?: Record<string, string> } = {},
  ) {}
}

/** Entity tag of a revision. Mere use (`last_used_at`) does not change it. */
export const etagOf = (revision: number | string): string => `"${revision}"`;

/** A response with the object's revision as entity tag. */
export const versioned = <Body>(body: Body, revision: number, status?: number): ApiResponse<Body> =>
  new ApiResponse(body, { etag: etagOf(revision), ...(status !== undefined && { status }) });

/** The same response with another status. */
export const withStatus = <Body>({ body, extras }: ApiResponse<Body>, status: number): ApiResponse<Body> =>
  new ApiResponse(body, { ...extras, status });

const tagsOf = (header: string): string[] => header.split(',').map((tag) => tag.trim());

/** RFC 9110 13.1.2, weak comparison: whether the caller has this version already. */
export const isUnchanged = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  tagsOf(ifNoneMatch).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag.replace(/^W\//, ''));

/** RFC 9110 13.1.1, strong comparison. Throws `precondition_failed` if the object has another revision. */
export function requireMatch(ifMatch: string | undefined, revision: number | string): void {
  if (ifMatch === undefined || tagsOf(ifMatch).some((tag) => tag === '*' || tag === etagOf(revision))) return;
  throw new AppError('precondition_failed', 'the object has changed: read it again', {
    headers: { etag: etagOf(revision) },
  });
}
