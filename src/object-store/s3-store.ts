// The bucket driver: Amazon S3 and what speaks like it. An object appears when its upload is completed, never before.
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  S3Client,
  S3ServiceException,
  type ListMultipartUploadsCommandOutput,
  type MultipartUpload,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { BucketLocation } from '../config/object-store-url.js';
import { Semaphore } from '../common/semaphore.js';
import { Counted } from './counted-stream.js';
import { storeAway, type ObjectStore, type StoredObject } from './object-store.js';
import { receive, WINDOW_BYTES } from './s3-window.js';

/** Memory of an upload: two parts under way, one that fills and one being cut. 10,000 parts are 48 GiB. */
const PART_BYTES = 5 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** Of each request, with growing pauses between. */
const ATTEMPTS = 3;
const CONNECT_MS = 3_000;
/** Until an answer begins: of a part over a slow line, and of anything small. An answer may then take its time. */
const UPLOAD_MS = 60_000;
const QUICK = { requestTimeout: 5_000 };

/** Parts of recordings that are being received at one time; each takes as long as the store needs, not its reader. */
const READS_AT_ONCE = 64;
/** More than are ever needed: to the SDK, a request that waits for a socket is one that cannot connect. */
const AGENT = { keepAlive: true, maxSockets: READS_AT_ONCE + 192 };

export class S3Store implements ObjectStore {
  private readonly client: S3Client;
  private readonly reads = new Semaphore(READS_AT_ONCE);

  /** Credentials come from where the AWS SDK looks: environment, shared files, container or instance role. */
  constructor(private readonly place: BucketLocation) {
    this.client = new S3Client({
      region: place.region,
      ...(place.endpoint !== null && { endpoint: place.endpoint }),
      forcePathStyle: place.pathStyle,
      maxAttempts: ATTEMPTS,
      // The SDK's default adds checksums as trailers, which many servers do not know and some store as content.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: UPLOAD_MS,
        throwOnRequestTimeout: true,
        socketTimeout: UPLOAD_MS,
        httpAgent: AGENT,
        httpsAgent: AGENT,
      },
    });
  }

  async put(key: string, body: Readable): Promise<number> {
    const counted = new Counted(body);
    const params = { ...this.at(key), Body: Readable.from(counted.pieces(), { objectMode: false }) };
    try {
      // When it fails, it aborts what it began; what it could not abort is swept.
      await new Upload({ client: this.client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE }).done();
    } catch (error) {
      body.destroy();
      throw counted.failure === null ? storeAway(error) : counted.failure.error;
    }
    // A server that misunderstood the upload would be found out by the first reader only.
    if ((await this.size(key)) === counted.bytes) return counted.bytes;
    await this.remove(key);
    throw storeAway(new Error('the store has another length than was sent'));
  }

  async size(key: string): Promise<number | null> {
    const head = await this.client.send(new HeadObjectCommand(this.at(key)), QUICK).catch(nullIfMissing);
    return head?.ContentLength ?? null;
  }

  async open(key: string, known?: number): Promise<StoredObject | null> {
    const bytes = known ?? (await this.size(key));
    if (bytes === null) return null;
    return { bytes, read: (start, end) => this.pieces(key, start, end), close: () => Promise.resolve() };
  }

  async remove(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand(this.at(key)), QUICK).catch(nullIfMissing);
  }

  async sweep(olderThan: Date): Promise<number> {
    let removed = 0;
    for await (const { Key, UploadId, Initiated } of this.unfinished()) {
      if (Initiated === undefined || Initiated >= olderThan) continue;
      const abort = new AbortMultipartUploadCommand({ Bucket: this.place.bucket, Key, UploadId });
      // Null: another worker was faster.
      if ((await this.client.send(abort, QUICK).catch(nullIfMissing)) !== null) removed += 1;
    }
    return removed;
  }

  async ping(): Promise<void> {
    await this.client.send(new HeadBucketCommand({ Bucket: this.place.bucket }), QUICK).catch(away);
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.place.bucket, Key: `${this.place.prefix}${key}` };
  }

  /** Part by part, each asked for when the one before has been read: whoever pauses holds nothing of the store. */
  private async *pieces(key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let from = start; from <= end;) {
      const bytes = Math.min(WINDOW_BYTES, end - from + 1);
      const window = await this.window(key, from, bytes);
      if (window === null) return;
      const asked = from;
      try {
        for await (const piece of window as AsyncIterable<Uint8Array>) {
          from += piece.length;
          yield piece;
        }
      } catch (error) {
        throw storeAway(error);
      }
      // The object ends here: whoever reads it knows its length.
      if (from - asked < bytes) return;
    }
  }

  /** Null past the end. Resolves when the answer begins; the next request of somebody else waits until it is over. */
  private window(key: string, from: number, bytes: number): Promise<Readable | null> {
    return new Promise((resolve, reject) => {
      const read = async (): Promise<void> => {
        const range = new GetObjectCommand({ ...this.at(key), Range: `bytes=${from}-${from + bytes - 1}` });
        const answer = await this.client.send(range, QUICK).catch(nullIfPastEnd);
        if (!(answer?.Body instanceof Readable)) return resolve(null);
        if ((answer.ContentLength ?? 0) > bytes) {
          answer.Body.destroy();
          throw storeAway(new Error('the store gives another range than was asked for'));
        }
        const { pieces, received } = receive(answer.Body);
        resolve(pieces);
        await received;
      };
      this.reads.run(read).catch(reject);
    });
  }

  /** Uploads that were begun and neither completed nor aborted. */
  private async *unfinished(): AsyncGenerator<MultipartUpload> {
    const of = { Bucket: this.place.bucket, Prefix: this.place.prefix };
    let marker: Pick<Page, 'KeyMarker' | 'UploadIdMarker'> = {};
    for (;;) {
      const page: Page | null = await this.client
        .send(new ListMultipartUploadsCommand({ ...of, ...marker }), QUICK)
        .catch(nullIfNotOffered);
      yield* page?.Uploads ?? [];
      if (page?.IsTruncated !== true) return;
      marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  }
}

type Page = ListMultipartUploadsCommandOutput;

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

function away(error: unknown): never {
  throw storeAway(error);
}

function nullIfMissing(error: unknown): null {
  return statusOf(error) === 404 ? null : away(error);
}

/** 416: no byte of the range exists. */
function nullIfPastEnd(error: unknown): null {
  return statusOf(error) === 416 ? null : away(error);
}

/** Servers without a list of unfinished uploads say 501 or 405; they have ways of their own to sweep them. */
function nullIfNotOffered(error: unknown): null {
  return [405, 501].includes(statusOf(error) ?? 0) ? null : away(error);
}
