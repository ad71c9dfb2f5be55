// The roles that the processes work as. The login of DATABASE_URL owns the tables and migrates; each process drops to its role at connect.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const ROLES = ['colloquy_api', 'colloquy_ingest', 'colloquy_worker'];

export class CreateRoles1790000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const role of ROLES) {
      // Roles belong to the cluster, not to the database: another installation may have made them, even in this moment.
      await runner.query(`
        do $$ begin
          create role ${role} nologin;
        exception when duplicate_object or unique_violation then null;
        end $$`);
      await runner.query(`
        do $$ begin
          execute format('grant ${role} to %I', current_user);
        exception when others then
          if not pg_has_role(current_user, '${role}', 'member') then raise; end if;
        end $$`);
    }
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
