// Ends our child processes if this process dies without doing so (SIGKILL, out of memory, a crash).
// A small shell process waits until the kernel closes its stdin. A shell, because it needs 1 MB and Node 40 MB; not
// prctl(PDEATHSIG), which exists only on Linux.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

// Newest first, as `up` itself would; 2 s each before SIGKILL to the group. Entries are pid:signal.
const SCRIPT = `
trap '' HUP INT TERM
alive() {
  kill -0 "$1" 2>/dev/null || return 1
  # A zombie, as in containers without an init, counts as ended.
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
  case $stat in *') Z '*) return 1 ;; esac
}
live=''
while read -r change pid signal; do
  rest=''
  for one in $live; do
    case $one in "$pid":*) ;; *) rest="$rest $one" ;; esac
  done
  live=$rest
  if [ "$change" = add ]; then live="$pid:$signal $live"; fi
done
for one in $live; do
  pid=\${one%%:*}
  kill -s "\${one#*:}" "$pid" 2>/dev/null || continue
  tries=0
  while [ $tries -lt 20 ] && alive "$pid"; do sleep 0.1; tries=$((tries + 1)); done
  kill -s KILL -- "-$pid" 2>/dev/null || kill -s KILL "$pid" 2>/dev/null
done
`;

let guard: { process: ChildProcess; stdin: Socket } | undefined;

/** Makes the guard end `child` with `signal` if this process dies first. */
export function guardChild(child: ChildProcess, signal: 'INT' | 'TERM'): void {
  const { pid } = child;
  if (pid === undefined) return;
  send(`add ${pid} ${signal}\n`);
  child.once('exit', () => send(`drop ${pid} -\n`));
}

function send(line: string): void {
  guard ??= startGuard();
  guard.stdin.write(line);
}

function startGuard(): { process: ChildProcess; stdin: Socket } {
  const child = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' });
  // If the guard itself was killed, the next start ends the children that the lock file lists.
  child.stdin.on('error', () => undefined);
  child.once('error', () => undefined);
  child.unref();
  const stdin = child.stdin as unknown as Socket;
  stdin.unref();
  return { process: child, stdin };
}
