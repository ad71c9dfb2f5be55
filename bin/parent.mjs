// Ends `npm run up` when the npm that started it is gone. A kill or a supervisor that ends npm alone (SIGKILL, SIGHUP; SIGINT
// and SIGTERM it hands on) would leave the installation running, and its port and data folder taken, with nobody to stop it.
const LOOK_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Sends this process a SIGTERM, once, when its parent changes. Only where that parent is npm or the shell of npm's script:
 * who starts `node bin/up.mjs` in the background and goes (nohup, setsid, a shell that exits) wants it to go on. In
 * `setsid npm run up` npm itself stays, and so does this.
 */
export function stopWithNpm(env = process.env) {
  if (env.npm_lifecycle_event !== 'up') return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    process.stdout.write('  npm, which started this, is gone\n');
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS);
  timer.unref();
  // It stops already; a second signal would not let it finish.
  for (const signal of SIGNALS) process.once(signal, () => clearInterval(timer));
}
