// Security events: log lines about who used or changed which key, and from where. No other log line or table has addresses.
import { Injectable } from '@nestjs/common';
import { Log } from '../common/log.js';
import { loggableUserAgent, type Source } from './source.js';

export type SecurityEvent =
  | 'authentication.failed'
  | 'authentication.limited'
  | 'api_key.used'
  | 'api_key.created'
  | 'api_key.updated'
  | 'api_key.rotated'
  | 'api_key.revoked'
  | 'api_key.approved';

/** The fields that such a line may have besides its source. */
export interface SecurityEventFields {
  reason?: string;
  /** Public id of the key that the event is about. */
  key_id?: string | null;
  /** Public id of the key that made the change. */
  by_key_id?: string;
}

const WARNINGS: ReadonlySet<SecurityEvent> = new Set(['authentication.failed', 'authentication.limited']);

@Injectable()
export class SecurityEvents {
  constructor(private readonly log: Log) {}

  record(event: SecurityEvent, source: Source, { reason, key_id, by_key_id }: SecurityEventFields = {}): void {
    const fields = {
      event,
      ...(reason !== undefined && { reason }),
      ...(key_id !== undefined && key_id !== null && { key_id }),
      ...(by_key_id !== undefined && { by_key_id }),
      client_address: source.address,
      user_agent: loggableUserAgent(source.userAgent),
      source: source.tag,
      request_id: source.requestId,
    };
    if (WARNINGS.has(event)) this.log.warn('security event', fields);
    else this.log.info('security event', fields);
  }
}
