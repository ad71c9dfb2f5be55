-- The image runs this once, on a new cluster. It creates an owner with the name of the database, who is not a superuser and gets
-- the password that the cluster was created with. The superuser is left without a password and can only log in from inside the
-- container (docker compose exec content-db psql -U postgres colloquy).
do $$ begin
  execute format(
    'create role %I login createrole password %L',
    current_database(),
    (select rolpassword from pg_authid where rolname = current_user)
  );
  execute format('alter database %I owner to %I', current_database(), current_database());
  execute format('alter role %I password null', current_user);
end $$;
