// The bucket driver, for Amazon S3 and compatible servers. An object appears only when its upload is complete.
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
import { CountedStream } from './counted-stream.js';
import { storeAway, type ObjectStore, type StoredObject } from './object-store.js';
import { receive, WINDOW_BYTES } from './s3-window.js';

/** An upload holds up to four parts in memory: two in flight, one filling, one being cut. 10,000 parts are 48 GiB. */
const PART_BYTES = 5 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** Attempts per request, with growing pauses. */
const ATTEMPTS = 3;
const CONNECT_MS = 3_000;
/** Until a response begins: for a part over a slow line, and (`QUICK`) for small requests. The rest of a response may take longer. */
const UPLOAD_MS = 60_000;
const QUICK = { requestTimeout: 5_000 };

/** Parts of recordings received at the same time; each lasts as long as the store needs, not its reader. */
const READS_AT_ONCE = 64;
/** More sockets than are ever needed: the SDK treats a request that waits for a socket as one that cannot connect. */
const AGENT = { keepAlive: true, maxSockets: READS_AT_ONCE + 192 };

export class S3Store implements ObjectStore {
  private readonly client: S3Client;
  private readonly reads = new Semaphore(READS_AT_ONCE);

  /** The AWS SDK finds the credentials: environment, shared files, container or instance role. */
  constructor(private readonly place: BucketLocation) {
    this.client = new S3Client({
      region: place.region,
      ...(place.endpoint !== null && { endpoint: place.endpoint }),
      forcePathStyle: place.pathStyle,
      maxAttempts: ATTEMPTS,
      // The SDK's default sends checksums as trailers, which many servers do not support and some store as content.
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
    const counted = new CountedStream(body);
    const params = { ...this.at(key), Body: Readable.from(counted.pieces(), { objectMode: false }) };
    try {
      // A failed upload aborts itself; sweep() removes what it could not abort.
      await new Upload({ client: this.client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE }).done();
    } catch (error) {
      body.destroy();
      throw counted.failure === null ? storeAway(error) : counted.failure.error;
    }
    // Otherwise only the first reader would notice that a server misunderstood the upload.
    if ((await this.size(key)) === counted.bytes) return counted.bytes;
    await this.remove(key);
    throw storeAway(new Error('the stored object differs in length from what was sent'));
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
      // Null: another worker aborted it first.
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

  /** Part by part, each requested when the previous one has been read: a paused reader occupies no connection to the store. */
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
      // Shorter than requested: the object ends here, which the reader notices because it knows the length.
      if (from - asked < bytes) return;
    }
  }

  /** One part; null past the end. Resolves when the response begins; its slot is free again when the response ends. */
  private window(key: string, from: number, bytes: number): Promise<Readable | null> {
    return new Promise((resolve, reject) => {
      const read = async (): Promise<void> => {
        const range = new GetObjectCommand({ ...this.at(key), Range: `bytes=${from}-${from + bytes - 1}` });
        const answer = await this.client.send(range, QUICK).catch(nullIfPastEnd);
        if (!(answer?.Body instanceof Readable)) return resolve(null);
        if ((answer.ContentLength ?? 0) > bytes) {
          answer.Body.destroy();
          throw storeAway(new Error('the store sent more than the requested range'));
        }
        const { pieces, received } = receive(answer.Body);
        resolve(pieces);
        await received;
      };
      this.reads.run(read).catch(reject);
    });
  }

  /** Uploads that were neither completed nor aborted. */
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

/** 416: the range lies past the end. */
function nullIfPastEnd(error: unknown): null {
  return statusOf(error) === 416 ? null : away(error);
}

/** Servers that cannot list unfinished uploads answer 501 or 405; they clean up by themselves. */
function nullIfNotOffered(error: unknown): null {
  return [405, 501].includes(statusOf(error) ?? 0) ? null : away(error);
}
