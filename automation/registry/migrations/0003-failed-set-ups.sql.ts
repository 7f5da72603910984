/** What workers said whose set-up failed: none of them gets ready any more. */
export const failedSetUps = `
create table worker_pools.failed_set_ups (
  environment text not null,
  worker text not null,
  step text not null,
  at double precision not null,
  primary key (environment, worker)
);
`;
