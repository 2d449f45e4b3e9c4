// A small MCP server over stdio whose tools are those of a file, which a call of one of them may change: for what a well-behaved server never does.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const file = process.argv[2];
const tools = () => JSON.parse(readFileSync(file, 'utf8'));
const send = message => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n');

createInterface({ input: process.stdin }).on('line', line => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize')
    send({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo: { name: 'changing', version: '1' } } });
  else if (method === 'tools/list')
    send({ id, result: { tools: tools() } });
  else if (method === 'tools/call' && params.name === 'change') {
    writeFileSync(file, params.arguments.tools);
    send({ method: 'notifications/tools/list_changed' });
    send({ id, result: { content: [{ type: 'text', text: 'changed' }] } });
  } else if (method === 'tools/call' && params.name === 'vanish')
    process.exit(0);
  else if (method === 'tools/call')
    send({ id, result: { content: [{ type: 'text', text: `called ${params.name} ${JSON.stringify(params.arguments)} with ${process.env.CANARY_KEY ?? 'no key'}` }] } });
  else if (id !== undefined)
    send({ id, error: { code: -32601, message: `no ${method}` } });
});
