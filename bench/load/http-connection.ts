// A minimal keep-alive HTTP/1.1 client: the load generator shares two cores with what it measures.
import { connect, type Socket } from 'node:net';

const RECEIVE_BYTES = 256 * 1024;
const HEAD_END = '\r\n\r\n';

export interface Answer {
  status: number;
  /** Bytes of the body. */
  bytes: number;
  /** Empty unless `keepBody` was set. */
  body: Buffer;
}

interface Pending {
  keepBody: boolean;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

/** One request at a time. Responses must have a Content-Length. */
export class HttpConnection {
  private pending: Pending | null = null;
  private head = Buffer.alloc(0);
  private answer: Answer = { status: 0, bytes: 0, body: Buffer.alloc(0) };
  /** Remaining bytes of the body; -1 while the head is read. */
  private left = -1;
  private kept: Buffer[] = [];

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const receive = { connection: null as HttpConnection | null };
      const socket = connect({
        port,
        host: '127.0.0.1',
        onread: {
          buffer: Buffer.allocUnsafe(RECEIVE_BYTES),
          callback: (size: number, buffer: Uint8Array) => {
            receive.connection?.received(Buffer.from(buffer.buffer, buffer.byteOffset, size));
            return true;
          },
        },
      });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        receive.connection = new HttpConnection(socket);
        resolve(receive.connection);
      });
    });
  }

  /** Sends the bytes of a whole request. */
  request(message: Uint8Array, { keepBody = false } = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.pending = { keepBody, resolve, reject };
      this.socket.write(message);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private received(chunk: Buffer): void {
    const body = this.left < 0 ? this.readHead(chunk) : chunk;
    if (body === null) return;
    if (this.pending?.keepBody) this.kept.push(Buffer.from(body));
    this.left -= body.length;
    if (this.left > 0) return;
    const { pending, answer } = this;
    if (this.left < 0) return this.fail(new Error('the response is longer than its Content-Length'));
    answer.body = Buffer.concat(this.kept);
    [this.pending, this.left, this.kept] = [null, -1, []];
    pending?.resolve(answer);
  }

  /** The part of the body that arrived with the end of the head; null while the head is incomplete. */
  private readHead(chunk: Buffer): Buffer | null {
    const all = this.head.length === 0 ? chunk : Buffer.concat([this.head, chunk]);
    const end = all.indexOf(HEAD_END);
    if (end < 0) {
      this.head = Buffer.from(all);
      return null;
    }
    const head = all.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) {
      this.fail(new Error(`a response without Content-Length: ${head.split('\r\n', 1)[0] ?? ''}`));
      return null;
    }
    this.head = Buffer.alloc(0);
    this.left = Number(length);
    this.answer = { status: Number(head.slice(9, 12)), bytes: this.left, body: Buffer.alloc(0) };
    return all.subarray(end + HEAD_END.length);
  }

  private fail(error: Error): void {
    const { pending } = this;
    this.pending = null;
    pending?.reject(error);
  }
}

/** The bytes of a GET. */
export const getRequest = (path: string, headers: Record<string, string> = {}): Buffer =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${linesOf(headers)}\r\n`);

/** The bytes of a POST. */
export const postRequest = (path: string, headers: Record<string, string>, body: Buffer): Buffer => {
  const length = { 'content-type': 'application/json', 'content-length': String(body.length) };
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${linesOf({ ...length, ...headers })}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
};

const linesOf = (headers: Record<string, string>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
