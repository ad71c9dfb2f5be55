// The database logins of the processes. Migrations create them without a password, so they cannot log in until `colloquy
// migrate` sets one. They own nothing, inherit nothing, and can only switch to the roles of their process.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { DataSource, QueryRunner } from 'typeorm';

export type ProcessName = 'api' | 'worker';

/** The same names in the content database and the keystore, whether these share a cluster or not. */
export const LOGINS: Record<ProcessName, string> = { api: 'colloquy_api_login', worker: 'colloquy_worker_login' };

/** Creates a role that cannot log in, unless it exists. Roles belong to the cluster: another migration may create it now. */
export async function createRole(runner: QueryRunner, role: string, options = ''): Promise<void> {
  await runner.query(`
    do $$ begin
      create role ${role} nologin ${options};
    exception when duplicate_object or unique_violation then null;
    end $$`);
}

/** Allows `member` to switch to `role` (`set role`); with `inherit`, it also has its rights. `current_user`: the migrating login. */
export async function grantRole(runner: QueryRunner, member: string, role: string, inherit?: 'inherit'): Promise<void> {
  const name = member === 'current_user' ? 'current_user' : `'${member}'`;
  await runner.query(`
    do $$ begin
      execute format('grant ${role} to %I with inherit ${inherit === 'inherit'}, set true', ${name});
    exception when others then
      if not pg_has_role(${name}, '${role}', 'set') then raise; end if;
    end $$`);
}

/** Sets passwords of logins; undefined: unchanged. Sends only hashes, so that no statement log contains a password. */
export async function setPasswords(
  source: DataSource,
  passwords: Record<ProcessName, string | undefined>,
): Promise<void> {
  for (const [name, password] of Object.entries(passwords))
    if (password !== undefined)
      await source.query(`alter role ${LOGINS[name as ProcessName]} login password '${verifierOf(password)}'`);
}

const ITERATIONS = 4096;

/** The SCRAM verifier that PostgreSQL stores (RFC 5803). ASCII only: other passwords would have to be normalised first. */
function verifierOf(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyOf = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  const server = keyOf('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${server}`;
}
