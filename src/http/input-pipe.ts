// Input is parsed here, once, by the schema that the route names; what does not fit is named in the answer.
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { AppError, type InputError, type ProblemCode } from '../common/errors.js';

/** Of a zod issue what matters here; other standard schemas have path and message alone. */
interface Issue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
  code?: string;
  keys?: string[];
  params?: { problem?: ProblemCode };
}

type Place = Pick<ArgumentMetadata, 'type' | 'data'>;

const MAX_ERRORS = 50;

/** Global pipe: throws `unknown_field`, `invalid_id` or `invalid_request` with `errors[]`. */
export class InputPipe implements PipeTransform {
  async transform(value: unknown, { type, data, schema }: ArgumentMetadata): Promise<unknown> {
    if (schema === undefined || type === 'custom') return value;
    const result = await schema['~standard'].validate(value);
    if (result.issues !== undefined) throw invalidInput(result.issues, { type, data });
    return result.value;
  }
}

/** The failure for the issues of one argument of a route. */
export function invalidInput(issues: readonly Issue[], place: Place): AppError {
  const errors = issues.flatMap((issue) => inputErrors(issue, place)).slice(0, MAX_ERRORS);
  if (issues.some(({ code }) => code === 'unrecognized_keys')) {
    return new AppError('unknown_field', 'the request has fields that this route does not know', { errors });
  }
  const isAboutIds = issues.every(({ params }) => params?.problem === 'invalid_id');
  if (isAboutIds) return new AppError('invalid_id', 'an id of the request is malformed', { errors });
  return new AppError('invalid_request', 'the request does not fit', { errors });
}

function inputErrors(issue: Issue, place: Place): InputError[] {
  const path = (issue.path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment));
  if (issue.code !== 'unrecognized_keys') return [located(path, place, issue.message)];
  return (issue.keys ?? []).map((key) => located([...path, key], place, 'is not known here'));
}

function located(path: string[], { type, data }: Place, detail: string): InputError {
  if (type === 'body') return { pointer: pointerOf(path), detail };
  return { parameter: data ?? path[0] ?? type, detail };
}

/** RFC 6901. */
const pointerOf = (path: string[]): string =>
  path.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
