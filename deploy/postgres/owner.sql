-- Run once by the image, on a new cluster: the database gets an owner of its own name, who takes over the password that the
-- cluster was made with and is no superuser. The superuser keeps none, and is reached from inside the container alone
-- (docker compose exec content-db psql -U postgres colloquy).
do $$ begin
  execute format(
    'create role %I login createrole password %L',
    current_database(),
    (select rolpassword from pg_authid where rolname = current_user)
  );
  execute format('alter database %I owner to %I', current_database(), current_database());
  execute format('alter role %I password null', current_user);
end $$;
