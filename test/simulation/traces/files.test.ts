import assert from 'node:assert/strict';
import { traceFromCsv, traceFromJson, TraceError } from '../../../simulation/traces';

describe('a trace from JSON', () => {
  it('is taken as it stands, with equal arrivals and further fields', () => {
    const text =
      '{"jobs":[{"arrival":0,"service":0.5,"id":7},{"arrival":0,"service":2},{"arrival":9.25,"service":1}],"horizon":10,"source":"x"}';
    assert.deepEqual(traceFromJson(text, 'a.json'), {
      jobs: [
        { arrival: 0, service: 0.5 },
        { arrival: 0, service: 2 },
        { arrival: 9.25, service: 1 },
      ],
      horizon: 10,
    });
  });

  const job = { arrival: 0, service: 1 };
  const wrong: { it: string; text: string; says: RegExp }[] = [
    { it: 'no JSON', text: '{"jobs":', says: /a\.json is not JSON/ },
    {
      it: 'NaN',
      text: '{"jobs":[{"arrival":NaN,"service":1}],"horizon":1}',
      says: /not JSON: .*knows no NaN/,
    },
    { it: 'no jobs', text: '{"horizon":1}', says: /must be \{ "jobs"/ },
    { it: 'an empty trace', text: '{"jobs":[],"horizon":1}', says: /there is no job in it/ },
    { it: 'a job that is none', text: trace([job, null]), says: /jobs\[1\]: arrival is missing/ },
    {
      it: 'a negative arrival',
      text: trace([{ arrival: -3, service: 1 }]),
      says: /jobs\[0\]: arrival is -3; it must/,
    },
    { it: 'a null', text: trace([{ arrival: null, service: 1 }]), says: /jobs\[0\]: arrival is null/ },
    { it: 'text', text: trace([{ arrival: 0, service: '5' }]), says: /jobs\[0\]: service is "5"/ },
    {
      it: 'infinity',
      text: '{"jobs":[{"arrival":0,"service":1e999}],"horizon":1}',
      says: /service is Infinity/,
    },
    {
      it: 'unsorted arrivals',
      text: trace([{ ...job, arrival: 5 }, job]),
      says: /jobs\[1\]: arrival is 0, before the 5/,
    },
    {
      it: 'a service of 0',
      text: trace([{ arrival: 0, service: 0 }]),
      says: /jobs\[0\]: service is 0; .* above 0/,
    },
    {
      it: 'a negative service',
      text: trace([{ arrival: 0, service: -1 }]),
      says: /jobs\[0\]: service is -1/,
    },
    { it: 'no horizon', text: '{"jobs":[{"arrival":0,"service":1}]}', says: /horizon is missing/ },
    {
      it: 'a horizon before the last arrival',
      text: trace([{ ...job, arrival: 50 }], 20),
      says: /horizon is 20, before the last arrival at 50/,
    },
    { it: 'times from 1970', text: trace([{ ...job, arrival: 1.7e9 }], 1.7e9), says: /not from 1970/ },
  ];
  for (const { it: name, text, says } of wrong) {
    it(`with ${name} is refused`, () => {
      assert.throws(
        () => traceFromJson(text, 'a.json'),
        (error) => error instanceof TraceError && says.test(error.message),
      );
    });
  }

  it('with one missing field is told that one alone', () => {
    assert.throws(
      () => traceFromJson('{"jobs":[{"service":1}],"horizon":1}', 'a.json'),
      (error: Error) => /arrival is missing/.test(error.message) && !/service is/.test(error.message),
    );
  });

  it('tells the first eight faults and how many more there are', () => {
    const text = trace(Array.from({ length: 20 }, () => ({ arrival: 0, service: 0 })));
    assert.throws(() => traceFromJson(text, 'a.json'), /jobs\[7\].*\n.*and 12 more like these$/s);
  });
});

describe('a trace from CSV', () => {
  const taken: { it: string; text: string; jobs: [number, number][]; horizon: number }[] = [
    {
      it: 'seconds',
      text: 'arrival,service\n0,1.5\n10,2\n',
      jobs: [
        [0, 1.5],
        [10, 2],
      ],
      horizon: 3600,
    },
    {
      it: 'other columns and any order',
      text: 'id,service,arrival\r\n7,3,5\r\n',
      jobs: [[5, 3]],
      horizon: 3600,
    },
    {
      it: 'quoted cells with commas and quotes',
      text: 'name,arrival,service\n"a, ""b""",1,2\n',
      jobs: [[1, 2]],
      horizon: 3600,
    },
    {
      it: 'times as PostgreSQL writes them',
      text: 'arrival,started,finished\n2026-03-01 08:00:00+00,2026-03-01 08:00:10.5+00,2026-03-01 08:01:00+00\n2026-03-01 11:00:00+01,2026-03-01 10:00:00+00,2026-03-01 10:00:01+00\n',
      jobs: [
        [0, 49.5],
        [7200, 1],
      ],
      horizon: 10_800,
    },
    {
      it: 'RFC 3339',
      text: 'arrival,service\n2026-03-01T08:00:00Z,60\n2026-03-01T08:30:00.250Z,4000\n',
      jobs: [
        [0, 60],
        [1800.25, 4000],
      ],
      horizon: 7200,
    },
  ];
  for (const { it: name, text, jobs, horizon } of taken) {
    it(`takes ${name}`, () => {
      const expected = jobs.map(([arrival, service]) => ({ arrival, service }));
      assert.deepEqual(traceFromCsv(text, 'a.csv'), { jobs: expected, horizon });
    });
  }

  const wrong: { it: string; text: string; says: RegExp }[] = [
    { it: 'nothing', text: '', says: /first line must name the columns/ },
    { it: 'other columns', text: 'when,how\n1,2\n', says: /it says "when,how"/ },
    { it: 'only a head', text: 'arrival,service\n', says: /no job in it/ },
    { it: 'an empty cell', text: 'arrival,service\n0,1\n\n5,\n', says: /line 4: service is missing/ },
    { it: 'words', text: 'arrival,service\nsoon,1\n', says: /line 2: arrival is "soon"/ },
    {
      it: 'unsorted arrivals',
      text: 'arrival,service\n5,1\n3,1\n',
      says: /line 3: arrival is 3, before the 5/,
    },
    {
      it: 'an end before its start',
      text: 'arrival,started,finished\n0,10,5\n',
      says: /line 2: service is -5/,
    },
  ];
  for (const { it: name, text, says } of wrong) {
    it(`refuses ${name}, with the line`, () => {
      assert.throws(
        () => traceFromCsv(text, 'a.csv'),
        (error) => error instanceof TraceError && says.test(error.message),
      );
    });
  }
});

function trace(jobs: unknown[], horizon = 100): string {
  return JSON.stringify({ jobs, horizon });
}
