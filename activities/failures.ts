// Failures as Temporal may keep them: a code and when to try again. Messages of others may quote content, so they stay out.
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { RetryLater } from '../src/lifecycle/retry-later.js';
import { AppError } from '../src/common/errors.js';
import { ProviderError } from '../src/providers/provider.js';

/** Runs `work`; what it throws becomes a failure without content. */
export async function mapped<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw failureOf(error);
  }
}

function failureOf(error: unknown): unknown {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof RetryLater) {
    // Benign: waiting is the rule here, not a failure to warn of.
    const category = ApplicationFailureCategory.BENIGN;
    return ApplicationFailure.create({
      message: error.message,
      type: 'not_yet',
      nextRetryDelay: error.retryInMs,
      category,
    });
  }
  if (error instanceof ProviderError) {
    return ApplicationFailure.create({ message: error.message, type: 'provider', nonRetryable: !error.retryable });
  }
  if (error instanceof AppError) {
    return ApplicationFailure.create({ message: error.message, type: error.code, nonRetryable: error.status < 500 });
  }
  // Cancellation must stay what it is, so that Temporal knows it.
  if (error instanceof Error && error.name === 'CancelledFailure') return error;
  return ApplicationFailure.create({ message: error instanceof Error ? error.name : 'unknown', type: 'internal' });
}
