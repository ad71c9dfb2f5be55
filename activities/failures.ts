// Maps failures to what Temporal may store: a code and when to try again. Messages of libraries may quote content and are dropped.
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { RetryLater } from '../src/lifecycle/retry-later.js';
import { AppError } from '../src/common/errors.js';
import { ProviderError } from '../src/providers/provider.js';

/** Runs `work`; maps what it throws to a failure without content. */
export async function mapFailures<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw failureOf(error);
  }
}

function failureOf(error: unknown): unknown {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof RetryLater) {
    // Benign: waiting is normal here, so Temporal must not log or count it as a failure.
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
  // Not mapped, so that Temporal recognises the cancellation.
  if (error instanceof Error && error.name === 'CancelledFailure') return error;
  return ApplicationFailure.create({ message: error instanceof Error ? error.name : 'unknown', type: 'internal' });
}
