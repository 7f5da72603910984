import { httpBench, prometheusBench } from './benches/http';
import { natsBench } from './benches/nats';
import { graphileWorkerBench, pgBossBench, postgresBench } from './benches/postgres';
import { rabbitmqBench } from './benches/rabbitmq';
import { bullmqBench, redisListBench, redisStreamBench } from './benches/redis';
import { describeQueueSource } from './contract';

describeQueueSource('postgres', postgresBench);
describeQueueSource('pg-boss', pgBossBench);
describeQueueSource('graphile-worker', graphileWorkerBench);
describeQueueSource('redis-list', redisListBench);
describeQueueSource('redis-stream', redisStreamBench);
describeQueueSource('bullmq', bullmqBench);
describeQueueSource('rabbitmq', rabbitmqBench);
describeQueueSource('nats', natsBench);
describeQueueSource('http', httpBench);
describeQueueSource('prometheus', prometheusBench);
