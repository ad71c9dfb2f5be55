// A simulated provider on a port: routes with key check and faults, control endpoints, request log.
import { once } from 'node:events';
import type { Server } from 'node:http';
import { controlRoutes } from './control.js';
import { CutOff, Disturbance } from './disturb.js';
import type { Faults } from './faults.js';
import { ApiError, apiServer, type ApiReply, type ApiRequest, type Operation, type Route } from './http.js';
import { Requests } from './requests.js';

/** One endpoint. The group `id` of the pattern is the record's id; reads are counted per record. */
export interface Endpoint {
  operation: Operation;
  method: string;
  pattern: RegExp;
  handle: (request: ApiRequest) => ApiReply | Promise<ApiReply>;
  /** Needs no key: anyone with the link can use it. */
  isOpen?: boolean;
  /** The id of the requested record; default: the group `id`. */
  recordOf?: (request: ApiRequest) => string | undefined;
}

/** What differs between the APIs of the providers. */
export interface ApiKind {
  endpoints: readonly Endpoint[];
  faults: Faults;
  /** Decides which requests an error share hits. */
  seed: string;
  clock: () => number;
  isAuthorized: (request: ApiRequest) => boolean;
  errorBody: (error: ApiError) => unknown;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Listens on 127.0.0.1. */
export class SimulatedApi {
  readonly requests = new Requests();
  private readonly server: Server;
  private url = '';

  constructor(private readonly kind: ApiKind) {
    const disturbance = new Disturbance(kind.faults, kind.seed);
    const routes = [
      ...controlRoutes(kind.faults, this.requests),
      ...kind.endpoints.map((endpoint) => this.route(endpoint, disturbance)),
      ...METHODS.map((method) => this.unknown(method)),
    ];
    const isControl = (path: string) => path.startsWith('/_control/');
    this.server = apiServer(routes, {
      arrived: (method, path) => {
        if (isControl(path)) return () => undefined;
        const entry = this.requests.arrived(method, path, kind.clock());
        return (status) => void (entry.status = status);
      },
      isCutOff: (path) => !isControl(path) && disturbance.isCutOff(),
      isCut: (error) => error instanceof CutOff,
      errorBody: kind.errorBody,
    });
  }

  /** `http://127.0.0.1:<port>`; empty before {@link listen}. */
  get baseUrl(): string {
    return this.url;
  }

  /** Starts listening; rejects when the port is taken. */
  async listen(port: number): Promise<void> {
    await this.bind(port);
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the simulator has no port');
    this.url = `http://127.0.0.1:${address.port}`;
  }

  /** Stops listening and closes open connections. */
  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async bind(port: number): Promise<void> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  private route(endpoint: Endpoint, disturbance: Disturbance): Route {
    const { operation, method, pattern } = endpoint;
    const handle = async (request: ApiRequest): Promise<ApiReply> => {
      if (endpoint.isOpen !== true) this.authorize(request);
      await disturbance.before(operation, request.url.pathname);
      const reply = await endpoint.handle(request);
      const id = endpoint.recordOf ? endpoint.recordOf(request) : request.params['id'];
      this.requests.answered(operation, id);
      return reply;
    };
    return { method, pattern, handle };
  }

  /** Unknown paths require the key, too. */
  private unknown(method: string): Route {
    const handle = (request: ApiRequest): ApiReply => {
      this.authorize(request);
      throw new ApiError(404, 'path not found');
    };
    return { method, pattern: /^/, handle };
  }

  private authorize(request: ApiRequest): void {
    if (!this.kind.isAuthorized(request)) throw new ApiError(401, 'invalid API key');
  }
}
