// Servers of plain files to compare with: nginx with sendfile and one worker process, and a bare Node server.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardChild } from '../../src/embedded/guard.js';
import { freePort, portState } from '../../src/embedded/ports.js';
import { endProcess } from '../../src/embedded/processes.js';
import { startPart } from '../programs.js';

export interface FileServer {
  name: string;
  port: number;
  stop: () => Promise<void>;
}

const BINARIES = ['nginx', '/usr/sbin/nginx'];

/** nginx for the files in `folder`; null if it is not installed. */
export async function nginxServer(folder: string): Promise<FileServer | null> {
  const binary = BINARIES.find((path) => spawnSync(path, ['-v']).status === 0);
  return binary === undefined ? null : nginx(binary, folder);
}

/** `node:http` that streams files of `bytes` bytes: the most that Node can reach without database and sealing. */
export async function nodeServer(folder: string, bytes: number): Promise<FileServer> {
  const part = await startPart<{ port: number }, null>('bare/server', { kind: 'files', folder, bytes });
  return { name: 'bare Node file streams', port: part.ready.port, stop: part.stop };
}

// tcp_nopush would delay the last packet of every response by 40 ms on loopback, an unfair limit.
const configuration = (folder: string, run: string, port: number): string => `
daemon off; worker_processes 1; pid ${run}/nginx.pid; error_log ${run}/error.log;
events { worker_connections 512; }
http {
  access_log off; sendfile on; tcp_nopush off; tcp_nodelay on; keepalive_requests 1000000;
  client_body_temp_path ${run}/body; proxy_temp_path ${run}/proxy; fastcgi_temp_path ${run}/fastcgi;
  uwsgi_temp_path ${run}/uwsgi; scgi_temp_path ${run}/scgi;
  server { listen 127.0.0.1:${port}; root ${folder}; }
}
`;

async function nginx(binary: string, folder: string): Promise<FileServer> {
  const run = join(folder, '..', 'nginx');
  mkdirSync(run, { recursive: true });
  // If started as root, its worker runs as another user, who needs access.
  for (const path of [join(folder, '..'), folder, run]) chmodSync(path, 0o755);
  const port = await freePort();
  const config = join(run, 'nginx.conf');
  writeFileSync(config, configuration(folder, run, port));
  const child = spawn(binary, ['-c', config, '-e', join(run, 'error.log')], { stdio: 'ignore', detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error('nginx could not be started');
  guardChild(child, 'TERM');
  for (const until = Date.now() + 5_000; (await portState(port)) === 'free' && Date.now() < until;) await sleep(50);
  const stop = async (): Promise<void> =>
    void (await endProcess(pid, [
      ['SIGTERM', 3_000],
      ['SIGKILL', 1_000],
    ]));
  return { name: 'nginx sendfile', port, stop };
}
