// Ends `npm run up` when the npm that started it has ended. npm forwards SIGINT and SIGTERM, but if only npm is killed (SIGKILL,
// SIGHUP), the installation would keep running, with its port and data folder in use.
const CHECK_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Sends this process a SIGTERM, once, when its parent changes. Only if that parent is npm or the shell of npm's script: a
 * `node bin/up.mjs` started in the background (nohup, setsid, a shell that exits) is meant to keep running. With
 * `setsid npm run up`, npm itself keeps running.
 */
export function stopWithNpm(env = process.env) {
  if (env.npm_lifecycle_event !== 'up') return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    process.stdout.write('  npm, which started this, has ended\n');
    process.kill(process.pid, 'SIGTERM');
  }, CHECK_MS);
  timer.unref();
  // It is stopping already; a second signal would interrupt that.
  for (const signal of SIGNALS) process.once(signal, () => clearInterval(timer));
}
