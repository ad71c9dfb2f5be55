// Who came with which key, from where: log lines of their own. No other line, and no table, holds an address.
import { Injectable } from '@nestjs/common';
import { Log } from '../common/log.js';
import { shownAgent, type Source } from './source.js';

export type SecurityEvent =
  | 'authentication.failed'
  | 'authentication.limited'
  | 'api_key.used'
  | 'api_key.created'
  | 'api_key.updated'
  | 'api_key.rotated'
  | 'api_key.revoked'
  | 'api_key.approved';

/** Everything that such a line may say beside its source. */
export interface SecurityFacts {
  reason?: string;
  /** Public id of the key that the event is about. */
  key_id?: string | null;
  /** Public id of the key that did it. */
  by_key_id?: string;
}

const WARNED: ReadonlySet<SecurityEvent> = new Set(['authentication.failed', 'authentication.limited']);

@Injectable()
export class SecurityEvents {
  constructor(private readonly log: Log) {}

  tell(event: SecurityEvent, source: Source, { reason, key_id, by_key_id }: SecurityFacts = {}): void {
    const fields = {
      event,
      ...(reason !== undefined && { reason }),
      ...(key_id !== undefined && key_id !== null && { key_id }),
      ...(by_key_id !== undefined && { by_key_id }),
      client_address: source.address,
      user_agent: shownAgent(source.userAgent),
      source: source.tag,
      request_id: source.requestId,
    };
    if (WARNED.has(event)) this.log.warn('security event', fields);
    else this.log.info('security event', fields);
  }
}
