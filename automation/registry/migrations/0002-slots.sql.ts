/**
 * Slots, and what changes them as functions: a statement sees what was there when it began, but a function's statements
 * see, one by one, what others committed meanwhile. So each of these first takes its environment's lock and then looks,
 * in one round trip. That alone keeps two requests from getting one place.
 */
export const slots = `
create table worker_pools.slots (
  environment text not null,
  id text not null,
  pool text not null,
  state text not null check (state in ('waiting', 'granted', 'released', 'expired')),
  -- Order of arrival.
  place bigint generated always as identity,
  ttl double precision not null,
  requested_at double precision not null,
  expires_at double precision not null,
  worker text,
  address text,
  granted_at double precision,
  ended_at double precision,
  primary key (environment, id)
) with (fillfactor = 70);
create index slots_waiting on worker_pools.slots (environment, pool, place) where state = 'waiting';
create index slots_held on worker_pools.slots (environment, pool, worker) where state = 'granted';
create index slots_expiring on worker_pools.slots (environment, expires_at) where state in ('waiting', 'granted');
create index slots_granted on worker_pools.slots (environment, granted_at) where granted_at is not null;
create index slots_ended on worker_pools.slots (environment, ended_at) where ended_at is not null;

create function worker_pools.lock_slots(p_environment text) returns void language sql as $$
  select pg_catalog.pg_advisory_xact_lock(2004318067, pg_catalog.hashtext(p_environment))
$$;

-- Workers of these pools with room, heard of since p_heard. Without nested loops: after a rush of requests the planner
-- still knows the tables as empty ones, and would count all slots anew for every worker.
create function worker_pools.room(p_environment text, p_pools text[], p_heard double precision)
returns table (pool text, worker text, address text, free bigint) language sql stable set enable_nestloop = off as $$
  select w.pool, w.worker, w.address, w.slots - coalesce(h.held, 0)
  from worker_pools.workers w
  left join (
    select s.worker, count(*) as held from worker_pools.slots s
    where s.environment = p_environment and s.pool = any(p_pools) and s.state = 'granted' group by s.worker
  ) h on h.worker = w.worker
  where w.environment = p_environment and w.pool = any(p_pools) and w.drain_cause is null and w.seen_at >= p_heard
    and w.slots > coalesce(h.held, 0)
$$;

create function worker_pools.request_slot(
  p_environment text, p_id text, p_pool text, p_patience double precision, p_ttl double precision,
  p_now double precision, p_heard double precision
) returns setof worker_pools.slots language plpgsql as $$
begin
  return query select * from worker_pools.slots s where s.environment = p_environment and s.id = p_id;
  if found then return; end if;
  perform worker_pools.lock_slots(p_environment);
  insert into worker_pools.slots (environment, id, pool, state, ttl, requested_at, expires_at)
  values (p_environment, p_id, p_pool, 'waiting', p_ttl, p_now, p_now + p_patience)
  on conflict do nothing;
  -- Who already waits comes first; places that came free meanwhile are theirs.
  if found and not exists (
    select from worker_pools.slots s
    where s.environment = p_environment and s.pool = p_pool and s.state = 'waiting'
      and s.expires_at > p_now and s.id <> p_id
  ) then
    update worker_pools.slots s
    set state = 'granted', worker = r.worker, address = r.address, granted_at = p_now, expires_at = p_now + s.ttl
    from (
      select * from worker_pools.room(p_environment, array[p_pool], p_heard) r
      order by r.free, r.worker limit 1
    ) r
    where s.environment = p_environment and s.id = p_id;
  end if;
  return query select * from worker_pools.slots s where s.environment = p_environment and s.id = p_id;
end
$$;

create function worker_pools.settle_slots(p_environment text, p_now double precision, p_heard double precision)
returns setof text language plpgsql as $$
begin
  delete from worker_pools.slots s where s.environment = p_environment and s.ended_at < p_now - 3600;
  if not exists (
    select from worker_pools.slots s where s.environment = p_environment and s.state = 'waiting'
  ) and not exists (
    select from worker_pools.slots s
    where s.environment = p_environment and s.state in ('waiting', 'granted') and s.expires_at <= p_now
  ) then return; end if;
  perform worker_pools.lock_slots(p_environment);
  return query
    update worker_pools.slots s set state = 'expired', ended_at = p_now
    where s.environment = p_environment and s.state in ('waiting', 'granted') and s.expires_at <= p_now
    returning s.id;
  return query
    with line as (
      select s.id, s.pool, row_number() over (partition by s.pool order by s.place) as turn
      from worker_pools.slots s
      where s.environment = p_environment and s.state = 'waiting'
    ), place as (
      select r.pool, r.worker, r.address,
        row_number() over (partition by r.pool order by r.free, r.worker, n) as turn
      from worker_pools.room(p_environment, array(select distinct l.pool from line l), p_heard) r
      cross join generate_series(1, r.free) n
    )
    update worker_pools.slots s
    set state = 'granted', worker = p.worker, address = p.address, granted_at = p_now, expires_at = p_now + s.ttl
    from line l join place p on p.pool = l.pool and p.turn = l.turn
    where s.environment = p_environment and s.id = l.id and s.state = 'waiting'
    returning s.id;
end
$$;

-- Under the same lock: else a slot could be granted on a worker that goes at this moment, and be held for ever.
create function worker_pools.forget_workers(p_environment text, p_workers text[])
returns void language plpgsql as $$
begin
  perform worker_pools.lock_slots(p_environment);
  perform from worker_pools.workers w
  where w.environment = p_environment and w.worker = any(p_workers) order by w.worker for update;
  delete from worker_pools.workers w where w.environment = p_environment and w.worker = any(p_workers);
  update worker_pools.slots s set state = 'expired', ended_at = s.expires_at
  where s.environment = p_environment and s.state = 'granted' and s.worker = any(p_workers);
end
$$;
`;
