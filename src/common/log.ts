// Logging: one JSON line per event, ids and codes only. Messages of foreign errors may quote personal data and are left out.
import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import { AppError } from './errors.js';

export type LogFields = Record<string, unknown>;

/** What may be logged of an error: name and code; the message only of our own errors, which have no content. */
export interface ErrorFields {
  name: string;
  code?: string;
  message?: string;
  /** Frames without the message; only at level debug. */
  stack?: string[];
  cause?: ErrorFields;
}

const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/** The loggable part of an error and its causes. */
export function errorFields(error: unknown, { stack = false } = {}): ErrorFields {
  const code = codeOf(error);
  if (!(error instanceof Error)) return { name: typeof error, ...(code !== undefined && { code }) };
  return {
    name: error.name,
    ...(code !== undefined && { code }),
    ...(error instanceof AppError && { message: error.message }),
    ...(stack && { stack: (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) }),
    ...(error.cause !== undefined && { cause: errorFields(error.cause, { stack }) }),
  };
}

/**
 * Asynchronous: a slow reader of the log must not hold up requests. Written in pieces of 32 KiB or every 100 ms: a system call
 * per line would cost a request more than the line itself. The rest is flushed at exit.
 */
const BUFFERED = { sync: false, minLength: 32_768, maxWrite: 65_536, periodicFlush: 100 };

/** The log of a process. */
export class Log {
  private readonly logger: Logger;

  constructor(level: string, destination?: DestinationStream) {
    const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
    this.logger = pino(options, destination ?? pino.destination(BUFFERED));
  }

  debug(message: string, fields: LogFields = {}): void {
    this.logger.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.logger.info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.logger.warn(fields, message);
  }

  /** With `cause`, its {@link errorFields} under `err`. */
  error(message: string, fields: LogFields = {}, cause?: unknown): void {
    const err = cause === undefined ? {} : { err: errorFields(cause, { stack: this.logger.isLevelEnabled('debug') }) };
    this.logger.error({ ...fields, ...err }, message);
  }
}

/** Sends Nest's messages to our log: those about starting at level debug, errors like our own. */
export class NestLog implements LoggerService {
  constructor(private readonly target: Log) {}

  log(message: unknown, context?: unknown): void {
    this.target.debug(...entryOf(message, context));
  }

  debug(message: unknown, context?: unknown): void {
    this.target.debug(...entryOf(message, context));
  }

  verbose(message: unknown, context?: unknown): void {
    this.target.debug(...entryOf(message, context));
  }

  warn(message: unknown, context?: unknown): void {
    this.target.warn(...entryOf(message, context));
  }

  error(message: unknown, ...rest: unknown[]): void {
    if (message instanceof Error) this.target.error('framework error', {}, message);
    else this.target.error(...entryOf(message, rest.at(-1)));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }
}

const entryOf = (message: unknown, context: unknown): [string, LogFields] => [
  typeof message === 'string' ? message : 'framework message',
  typeof context === 'string' ? { context } : {},
];
