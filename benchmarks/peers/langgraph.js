// Checkpointed steps of LangGraph, its saver in memory: node langgraph.js. Reads lines "GRAPHS STEPS" and answers each with the microseconds a step took.
// A step gives back the 100 bytes that it gets, as those of ./bench do. Each line gets a saver of its own, since a saver keeps all that it ever got.
import { createInterface } from 'node:readline';
import { Annotation, END, MemorySaver, START, StateGraph } from '@langchain/langgraph';

const payload = 'x'.repeat(98);
const State = Annotation.Root({ left: Annotation(), last: Annotation() });
const graph = new StateGraph(State)
  .addNode('step', async ({ left, last }) => ({ left: left - 1, last }))
  .addEdge(START, 'step')
  .addConditionalEdges('step', ({ left }) => (left > 0 ? 'step' : END));

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [graphs, steps] = line.split(' ').map(Number);
  const compiled = graph.compile({ checkpointer: new MemorySaver() });
  const start = process.hrtime.bigint();
  const ends = await Promise.all(Array.from({ length: graphs }, (_, i) =>
    compiled.invoke({ left: steps, last: payload }, { configurable: { thread_id: `${i}` }, recursionLimit: steps + 2 })));
  const time = Number(process.hrtime.bigint() - start) / 1000 / (graphs * steps);
  if (ends.some(({ left, last }) => left !== 0 || last !== payload)) throw new Error('a graph ended with another state');
  console.log(time);
}
