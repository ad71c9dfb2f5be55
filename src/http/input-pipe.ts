// Parses each input once, with the schema that the route declares; the response names every invalid field.
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { AppError, type InputError, type ProblemCode } from '../common/errors.js';

/** The parts of a zod issue that are used here; other standard schemas only have path and message. */
interface Issue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
  code?: string;
  keys?: string[];
  params?: { problem?: ProblemCode };
}

type InputLocation = Pick<ArgumentMetadata, 'type' | 'data'>;

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

/** The error for the issues of one argument of a route. */
export function invalidInput(issues: readonly Issue[], location: InputLocation): AppError {
  const errors = issues.flatMap((issue) => inputErrors(issue, location)).slice(0, MAX_ERRORS);
  if (issues.some(({ code }) => code === 'unrecognized_keys')) {
    return new AppError('unknown_field', 'the request has unknown fields', { errors });
  }
  const isAboutIds = issues.every(({ params }) => params?.problem === 'invalid_id');
  if (isAboutIds) return new AppError('invalid_id', 'an id in the request is malformed', { errors });
  return new AppError('invalid_request', 'the request is invalid', { errors });
}

function inputErrors(issue: Issue, location: InputLocation): InputError[] {
  const path = (issue.path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment));
  if (issue.code !== 'unrecognized_keys') return [inputError(path, location, issue.message)];
  return (issue.keys ?? []).map((key) => inputError([...path, key], location, 'is unknown'));
}

function inputError(path: string[], { type, data }: InputLocation, detail: string): InputError {
  if (type === 'body') return { pointer: pointerOf(path), detail };
  return { parameter: data ?? path[0] ?? type, detail };
}

/** JSON pointer (RFC 6901). */
const pointerOf = (path: string[]): string =>
  path.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
