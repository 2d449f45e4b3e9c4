// Durable steps of DBOS Transact on a PostgreSQL server: node dbos.js URL. Reads lines "WORKFLOWS STEPS" and answers each with the microseconds a step took.
// A step gives back the 100 bytes that it gets, as those of ./bench do.
import { createInterface } from 'node:readline';
import { DBOS } from '@dbos-inc/dbos-sdk';

const payload = 'x'.repeat(98);
const workflow = DBOS.registerWorkflow(async (count) => {
  let last = payload;
  for (let i = 0; i < count; i++) last = await DBOS.runStep(async () => last, { name: 'step' });
  return last;
}, { name: 'steps' });

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: process.argv[2], logLevel: 'error', runAdminServer: false });
await DBOS.launch();
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [workflows, steps] = line.split(' ').map(Number);
  const start = process.hrtime.bigint();
  const handles = await Promise.all(Array.from({ length: workflows }, () => DBOS.startWorkflow(workflow)(steps)));
  const ends = await Promise.all(handles.map((handle) => handle.getResult()));
  const time = Number(process.hrtime.bigint() - start) / 1000 / (workflows * steps);
  if (ends.some((end) => end !== payload)) throw new Error('a workflow ended with another output');
  console.log(time);
}
await DBOS.shutdown();
