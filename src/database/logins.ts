// The logins of the processes. Migrations make them, unable to log in until they have a password; what they may become is all
// they may do: they own nothing, inherit nothing, and are members of the roles of one process.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { DataSource, QueryRunner } from 'typeorm';

export type ProcessName = 'api' | 'worker';

/** In the content database and in the keystore, whether these share a cluster or not. */
export const LOGINS: Record<ProcessName, string> = { api: 'colloquy_api_login', worker: 'colloquy_worker_login' };

/** Makes a role that cannot log in, unless there is one: roles belong to the cluster, where others may make them in this moment. */
export async function createRole(runner: QueryRunner, role: string, options = ''): Promise<void> {
  await runner.query(`
    do $$ begin
      create role ${role} nologin ${options};
    exception when duplicate_object or unique_violation then null;
    end $$`);
}

/** Lets `member` become `role`, and no more unless it is to inherit. `current_user`: whoever migrates. */
export async function letBecome(runner: QueryRunner, member: string, role: string, inherit?: 'inherit'): Promise<void> {
  const name = member === 'current_user' ? 'current_user' : `'${member}'`;
  await runner.query(`
    do $$ begin
      execute format('grant ${role} to %I with inherit ${inherit === 'inherit'}, set true', ${name});
    exception when others then
      if not pg_has_role(${name}, '${role}', 'set') then raise; end if;
    end $$`);
}

/** Lets logins log in with these passwords; those without one stay as they are. Only a hash of each goes to the server, and so into no log of statements. */
export async function setPasswords(
  source: DataSource,
  passwords: Record<ProcessName, string | undefined>,
): Promise<void> {
  for (const [name, password] of Object.entries(passwords))
    if (password !== undefined)
      await source.query(`alter role ${LOGINS[name as ProcessName]} login password '${verifierOf(password)}'`);
}

const ITERATIONS = 4096;

/** What PostgreSQL stores of a password (RFC 5803). ASCII alone: others would have to be normalised first. */
function verifierOf(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyOf = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  const server = keyOf('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${server}`;
}
