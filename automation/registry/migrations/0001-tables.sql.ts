/** Times are seconds since 1970 and durations seconds, as numbers, like everywhere in the service. */
export const tables = `
create table worker_pools.workers (
  environment text not null,
  worker text not null,
  pool text not null,
  hostname text not null,
  slots integer not null,
  address text not null,
  registered_at double precision not null,
  seen_at double precision not null,
  beat_at double precision,
  -- The worker's own clock when it last spoke.
  said_at double precision,
  running double precision[] not null default '{}',
  -- Counts the changes of running: two processes that hear one worker do not overwrite each other. Begins anywhere, so that
  -- a worker that was forgotten and came back is not taken for what is remembered of it.
  revision integer not null default (random() * 1000000000)::integer,
  drain_cause text,
  drain_reason text,
  drain_since double precision,
  drain_told_at double precision,
  primary key (environment, worker)
) with (fillfactor = 50);
create index workers_pool on worker_pools.workers (environment, pool);

create table worker_pools.served (
  environment text not null,
  pool text not null,
  ended_at double precision not null,
  seconds double precision not null
);
create index served_ended on worker_pools.served (environment, ended_at);

create table worker_pools.audit (
  id bigint generated always as identity primary key,
  at double precision not null,
  environment text not null,
  pool text,
  actor text not null,
  kind text not null,
  summary text not null,
  detail jsonb not null,
  -- What may be a worker's id in summary and detail.
  mentions text[] not null
);
create index audit_time on worker_pools.audit (environment, at, id);
create index audit_kind on worker_pools.audit (environment, kind, at, id);
create index audit_pool on worker_pools.audit (environment, pool, at, id);
create index audit_mentions on worker_pools.audit using gin (mentions);

create table worker_pools.intents (
  environment text primary key,
  membership jsonb not null,
  at double precision not null,
  holder jsonb not null
);

create table worker_pools.orders (
  environment text not null,
  kind text not null,
  -- Empty for an order that concerns the whole environment.
  pool text not null,
  content jsonb not null,
  primary key (environment, kind, pool)
);

create table worker_pools.memory (
  environment text not null,
  key text not null,
  value jsonb not null,
  primary key (environment, key)
);

create table worker_pools.ledger (
  environment text not null,
  server_id bigint not null,
  worker text not null,
  pool text not null,
  created double precision not null,
  hourly double precision not null,
  monthly double precision not null,
  deleted double precision,
  primary key (environment, server_id)
);
`;
